#!/usr/bin/env nextflow
nextflow.enable.dsl = 2

include { PIPESTAT_INGEST } from './modules/pipestat'

// The number of reads. A file whose last read is cut off ends the task with exit code 3.
process COUNT_READS {
    tag "${meta.id}"

    input:
    tuple val(meta), path(fastq)

    output:
    path "${meta.id}.count.pipestat.json", emit: documents

    script:
    """
    lines=\$(wc -l < $fastq)
    if (( lines % 4 )); then
        echo "$fastq ends in the middle of a read" >&2
        exit 3
    fi
    pipestat-emit '${meta.id}' -o ${meta.id}.count.pipestat.json \\
        reads:=\$((lines / 4)) --attempt ${task.attempt} \\
        --source engine=nextflow --source process=${task.process}
    """
}

// How often each base occurs, as a table that is published.
process COUNT_BASES {
    tag "${meta.id}"
    publishDir params.outdir, mode: 'copy', pattern: 'bases/*'

    input:
    tuple val(meta), path(fastq)

    output:
    path "bases/${meta.id}.tsv", emit: tables
    path "${meta.id}.bases.pipestat.json", emit: documents

    script:
    """
    mkdir bases
    total=0 gc=0
    for base in A C G T; do
        count=\$(sed -n '2~4p' $fastq | tr -cd \$base | wc -c)
        printf '%s\\t%d\\n' \$base \$count >> bases/${meta.id}.tsv
        total=\$((total + count))
        case \$base in C | G) gc=\$((gc + count)) ;; esac
    done
    per_mille=\$((gc * 1000 / total))
    # The path is that in the task's folder; ingest makes it the published one.
    pipestat-emit '${meta.id}' -o ${meta.id}.bases.pipestat.json \\
        gc_percent:=\$((per_mille / 10)).\$((per_mille % 10)) \\
        'bases:={"path": "bases/${meta.id}.tsv", "title": "Bases of ${meta.id}"}' \\
        --attempt ${task.attempt} \\
        --source engine=nextflow --source process=${task.process}
    """
}

// Where the task has pipestat-spec, it reports straight into the store. Such a process must not
// be cached: what it stored would not be stored again.
process REPORT_PROJECT {
    executor 'local'
    cache false
    errorStrategy 'terminate'

    input:
    val ingested

    output:
    stdout

    script:
    """
    samples=\$(pipestat-spec select -c ${params.pipestat} --where 'reads > 0' --columns reads \\
        --format tsv | tail -n +2 | wc -l)
    pipestat-spec report -c ${params.pipestat} -p project --overwrite samples_counted=\$samples
    """
}

workflow {
    samples = Channel
        .fromPath("${params.reads}/*.fastq", checkIfExists: true)
        .map { fastq -> tuple([id: fastq.baseName], fastq) }

    COUNT_READS(samples)
    COUNT_BASES(samples)

    // One channel of all documents, from whatever process.
    documents = COUNT_READS.out.documents.mix(COUNT_BASES.out.documents)
    PIPESTAT_INGEST(documents.collect(), params.pipestat, "bases=${params.outdir}/bases")
    REPORT_PROJECT(PIPESTAT_INGEST.out)
}
