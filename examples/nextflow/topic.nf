#!/usr/bin/env nextflow
// The same with a topic, for Nextflow 25.04 and newer: a process says only that its documents
// go to the topic `pipestat`, and the workflow need not pass them on.

include { PIPESTAT_INGEST } from './modules/pipestat'

process COUNT_READS {
    tag "${meta.id}"

    input:
    tuple val(meta), path(fastq)

    output:
    path '*.pipestat.json', topic: 'pipestat'

    script:
    """
    pipestat-emit '${meta.id}' -o ${meta.id}.count.pipestat.json \\
        reads:=\$((\$(wc -l < $fastq) / 4)) --attempt ${task.attempt} \\
        --source engine=nextflow --source process=${task.process}
    """
}

workflow {
    samples = channel
        .fromPath("${params.reads}/*.fastq", checkIfExists: true)
        .map { fastq -> tuple([id: fastq.baseName], fastq) }

    COUNT_READS(samples)
    PIPESTAT_INGEST(channel.topic('pipestat').collect(), params.pipestat, '')
}
