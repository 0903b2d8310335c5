"""Results of pipelines in LMDB, a database that is a folder and needs no server."""
