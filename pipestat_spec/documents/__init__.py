"""The documents of the specification as pydantic models, and the JSON Schemas made from them.

They stand where text comes in or goes out: report documents, exported records, queries,
configuration and schema files. Inside, the frozen dataclasses of `pipestat_spec.models`
are used (docs/adr/0003). Rules are called here, not written again.
"""
