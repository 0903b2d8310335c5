"""YAML parsers that are not ours, and one form to compare what they read.

Two implementations may print one value differently, so values are compared in *tagged*
form: the kind, and the text or the bits of the value.
"""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from tests import patience

_NODE_SCRIPT = """
const YAML = require("yaml");
const bits = (x) => { const b = Buffer.alloc(8); b.writeDoubleBE(x); return b.toString("hex"); };
const tagged = (x) => {
  if (x === null) return ["null"];
  if (typeof x === "boolean") return ["boolean", x];
  if (typeof x === "bigint") return ["integer", x.toString()];
  if (typeof x === "number") return ["number", bits(x)];
  if (typeof x === "string") return ["string", x];
  if (Array.isArray(x)) return ["array", x.map(tagged)];
  if (x instanceof Map) return ["object", [...x].map(([k, v]) => [tagged(k), tagged(v)])];
  return ["other", String(x)];
};
const text = require("fs").readFileSync(0, "utf8");
const options = { intAsBigInt: true, mapAsMap: true, strict: true, version: "1.2" };
const document = YAML.parseDocument(text, options);
if (document.errors.length || document.warnings.length) {
  console.error([...document.errors, ...document.warnings].map(String).join("\\n"));
  process.exit(1);
}
process.stdout.write(JSON.stringify(tagged(document.toJS({ mapAsMap: true }))));
"""


def tagged(value: Any) -> Any:
    """Return a value in the form that does not depend on who read it."""
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["boolean", value]
    if isinstance(value, int):
        return ["integer", str(int(value))]
    if isinstance(value, float):
        return ["number", struct.pack(">d", float(value)).hex()]
    if isinstance(value, str):
        return ["string", str(value)]
    if isinstance(value, list):
        return ["array", [tagged(item) for item in value]]
    if isinstance(value, dict):
        return ["object", [[tagged(key), tagged(item)] for key, item in value.items()]]
    return ["other", repr(value)]


class NodeParser:
    """Reads YAML 1.2 with the npm package `yaml`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: Path) -> Any:
        """Return the document in tagged form; an error or warning of the parser is a failure."""
        done = subprocess.run(
            ["node", "-e", _NODE_SCRIPT],
            cwd=self._folder,
            input=path.read_bytes(),
            capture_output=True,
            timeout=patience.SECONDS,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)


def read_pyyaml(path: Path) -> Any:
    """Return the document as PyYAML, a YAML 1.1 parser, reads it, in tagged form."""
    return tagged(yaml.safe_load(path.read_bytes()))


def read_ruamel_12(path: Path) -> Any:
    """Return the document as ruamel.yaml reads it in YAML 1.2, in tagged form."""
    parser = YAML(typ="safe", pure=True)
    parser.version = (1, 2)
    return tagged(parser.load(path.read_bytes()))
