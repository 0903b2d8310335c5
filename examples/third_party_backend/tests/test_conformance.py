from pipestat_conformance import suite

TestLmdb = suite("lmdb", store=lambda tmp: {"path": f"{tmp}/lmdb"})
