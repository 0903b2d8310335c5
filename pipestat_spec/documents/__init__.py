"""Documents that come in and go out, and the JSON Schemas of all of them.

Report documents are read by pydantic models, answers of commands are described by models.
Inside, the frozen dataclasses of `pipestat_spec.models` are used (docs/adr/0003).
"""
