// Stores report documents with `pipestat-spec ingest`. Include it into a pipeline:
//
//     include { PIPESTAT_INGEST } from './modules/pipestat'
//     PIPESTAT_INGEST(documents.collect(), '/path/pipestat.yaml', 'work_name=/published/name')
//
// It runs where the head job runs, so no other task needs Python or the store. It is never
// cached: with -resume all documents are ingested again, which changes nothing that is stored
// already and brings back what is not, also when the results file was deleted.
process PIPESTAT_INGEST {
    executor 'local'
    cache false
    errorStrategy 'terminate' // a document that is refused must not go unnoticed

    input:
    path documents, stageAs: 'documents/?/*' // a folder for each: names may occur twice
    val config
    val path_prefix // OLD=NEW, or an empty string

    output:
    val true

    script:
    """
    pipestat-spec ingest -c '$config' ${path_prefix ? "--path-prefix '$path_prefix'" : ''} documents
    """
}
