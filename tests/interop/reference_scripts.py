"""What the tests have pipestat 0.13.1 do, and the output schema that both understand."""

from __future__ import annotations

# The only form of an output schema that pipestat 0.13.1 takes for both levels.
SCHEMA = """
title: interop
type: object
properties:
  pipeline_name: rnaseq
  samples:
    type: array
    items:
      type: object
      properties:
        reads: {type: integer, description: number of reads}
        rate: {type: number, description: rate, qc: {fail: "value < 0.1"}}
        name: {type: string, description: name}
        passed: {type: boolean, description: whether it passed}
        "pct aligned": {type: number, description: a name with a space}
        tags: {type: array, description: tags}
        settings: {type: object, description: settings}
        plot:
          type: object
          object_type: image
          description: plot
          properties:
            path: {type: string}
            title: {type: string}
            thumbnail_path: {type: string}
          required: [path, title]
      qc: [{warn: "reads < 1000", reason: few reads}]
  project:
    type: object
    properties:
      total: {type: integer, description: total}
"""

_OPEN = """
import json, sys
from pipestat import PipestatManager
psm = PipestatManager.from_file_backend(
    results_file_path=sys.argv[1], schema_path=sys.argv[2], pipeline_type=LEVEL)
"""
OPEN = _OPEN.replace("LEVEL", "'sample'")
OPEN_PROJECT = _OPEN.replace("LEVEL", "'project'")

# arguments: results file, schema, record identifiers as JSON
READ = (
    OPEN
    + """
answer = {"records": psm.select_records()["records"], "one": {}, "status": {}, "history": {}}
for name in json.loads(sys.argv[3]):
    answer["one"][name] = psm.retrieve_one(name)
    answer["status"][name] = psm.get_status(name)
    answer["history"][name] = psm.retrieve_history(name)
print(json.dumps(answer))
"""
)
READ_PROJECT = (
    OPEN_PROJECT
    + """
print(json.dumps({"one": psm.retrieve_one(sys.argv[3])}))
"""
)

# arguments: results file, schema, record identifier, values as JSON
REPORT = (
    OPEN
    + """
psm.report(record_identifier=sys.argv[3], values=json.loads(sys.argv[4]), force_overwrite=True)
"""
)
# arguments: results file, schema, record identifier, status
SET_STATUS = OPEN + "\npsm.set_status(sys.argv[4], sys.argv[3])\n"

# arguments: results file, schema, record identifier
GET_STATUS = OPEN + "\nprint(json.dumps(psm.get_status(sys.argv[3])))\n"
CLEAR_STATUS = OPEN + "\npsm.clear_status(sys.argv[3])\n"
REMOVE_RECORD = (
    OPEN + "\npsm.backend.remove_record(record_identifier=sys.argv[3], rm_record=True)\n"
)
