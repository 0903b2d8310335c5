"""pipestat 0.13.1 as a program of the conformance protocol.

    pipestat-spec conformance run --exec 'ENV/bin/python reference_harness.py'

It runs in an environment that holds pipestat, and uses nothing else. pipestat was not
written for this specification; the harness gives it its best chance:

- Each operation opens the store anew, as a command line does, so nothing stale is read.
- A schema becomes a YAML file. Where it has no `pipeline_name`, and a result no
  `description`, they are put in: pipestat takes no schema without them.
- Times, which it keeps in local time and whole seconds, are told in the specified form.
- A refusal that pipestat tells by returning False is answered with its error code.
- Any exception while it reads a schema counts as `schema`; any that is not of its own tree
  counts as `store`, where most programs would have to end as well.
- Two files of its own, which it reads each time that it opens a store, are read once.

What it has no call for is answered with `unsupported`. Its documentation names what the
profiles here are about, so they are claimed; pipestat itself claims nothing.
"""

# Operations get level and record, whether they need them or not. Any exception is an answer.
# ruff: noqa: ARG001, ARG002, BLE001

import argparse
import copy
import datetime
import importlib.metadata
import json
import logging
import math
import os
import signal
import sys
import tempfile

import yaml
from pipestat import PipestatManager, exceptions
from pipestat import pipestat as implementation
from pipestat.parsed_schema import ParsedSchema

CAPABILITIES = ["history", "multi-namespace", "project-level", "status", "times"]
PROFILES = ["core", "schema", "history", "query", "yaml-layout"]
# The first class that an exception is an instance of.
CODES = [
    (exceptions.RecordNotFoundError, "not-found"),
    (exceptions.ColumnNotFoundError, "validation"),
    (exceptions.SchemaNotFoundError, "config"),
    (exceptions.SchemaError, "validation"),
    (exceptions.InvalidTypeError, "validation"),
    (exceptions.IncompatibleClassError, "validation"),
    (exceptions.UnrecognizedStatusError, "status"),
    (exceptions.InvalidTimeFormatError, "query"),
    (exceptions.MissingConfigDataError, "config"),
    (exceptions.NoBackendSpecifiedError, "config"),
]
LOCAL = "%Y-%m-%d %H:%M:%S"
SPECIFIED = "%Y-%m-%dT%H:%M:%S.%fZ"
UTC = datetime.UTC
# An operation that takes more CPU time, or waits longer for others, is given up, as a failure and
# not as a broken harness: the suite has to be more patient than that.
CPU_SECONDS, SECONDS = 2, 240


class Refused(Exception):
    """pipestat says no by what it returns; the text is the code."""


class Unsupported(Exception):
    """pipestat has no call for this."""


class Store:
    """One store, opened anew by each operation."""

    def __init__(self, store, schema, settings, folder):
        unknown = {"status_schema", "unsafe_writes", "history_limit"} & set(settings)
        if unknown or settings.get("layout") == "records":
            raise Unsupported
        names = ("project_name", "flag_file_dir", "multi_pipelines", "additional_properties")
        self.arguments = {name: settings[name] for name in names if name in settings}
        self.arguments["results_file_path"] = store["path"]
        self.arguments["pipeline_name"] = settings.get("namespace")
        self.arguments["validate_results"] = settings.get("validate_results")
        self.schema = None
        if schema is not None:
            self.schema = os.path.join(folder, "output_schema.yaml")
            with open(self.schema, "w", encoding="utf-8") as file:
                yaml.safe_dump(completed(schema, settings.get("namespace")), file, sort_keys=False)
            self.parse_schema()
        try:
            self.manager()
        except exceptions.PipestatError as error:
            # The class itself says that the file belongs to other pipelines.
            foreign = type(error) is exceptions.PipestatError
            raise Refused("layout" if foreign else code(error)) from error

    def parse_schema(self):
        try:
            return ParsedSchema(self.schema)
        except Exception as error:
            raise Refused("schema") from error

    def manager(self, level="sample"):
        return PipestatManager(schema_path=self.schema, pipeline_type=level, **self.arguments)

    # Operations

    def report(self, level, record, values, overwrite=False, history=True, convert=False, **more):
        if more.get("source") is not None or more.get("status_message") is not None:
            raise Unsupported
        options = {"force_overwrite": overwrite, "history_enabled": history}
        manager = self.manager(level)
        told = manager.report(values, record, strict_type=not convert, **options)
        if told is False:
            raise Refused("conflict")
        if more.get("status") is not None:
            manager.set_status(more["status"], record)

    def report_many(self, level, record, records, overwrite=False):
        for identifier, values in records.items():
            self.report(level, identifier, values, overwrite)

    def retrieve(self, level, record, results=None):
        found = self.manager(level).retrieve_one(record, results)
        if results is not None and len(results) == 1:
            return {results[0]: found}
        return {name: value for name, value in found.items() if name != "record_identifier"}

    def value(self, level, record, result):
        return self.manager(level).retrieve_one(record, result)

    def describe(self, level, record):
        manager = self.manager(level)
        manager.retrieve_one(record)
        name = record if record is not None else manager.project_name
        meta = manager.data[manager.pipeline_name][level][name].get("meta") or {}
        return {
            "status": manager.get_status(record),
            "status_message": None,
            "source": None,
            "created": specified(meta.get("pipestat_created_time")),
            "modified": specified(meta.get("pipestat_modified_time")),
        }

    def records(self, level, record, after=None, limit=None):
        if after is not None or limit is not None:
            raise Unsupported
        found = self.manager(level).select_records(limit=None)["records"]
        return [each["record_identifier"] for each in found]

    def count(self, level, record):
        return self.manager(level).count_records()

    def remove(self, level, record, result=None):
        if not self.manager(level).remove(record, result):
            raise Refused("not-found")

    def set_status(self, level, record, status, message=None, source=None):
        if message is not None or source is not None:
            raise Unsupported
        self.manager(level).set_status(status, record)

    def get_status(self, level, record):
        return self.manager(level).get_status(record)

    def clear_status(self, level, record, names=None):
        removed = self.manager(level).clear_status(record, names)
        return removed[0] if removed else None

    def statuses(self, level, record):
        return self.manager().status_schema

    def history(self, level, record, result=None):
        found = self.manager(level).retrieve_history(record, result)
        return {
            name: {specified(time): value for time, value in entries.items()}
            for name, entries in found.items()
        }

    def select(self, level, record, where=None, conditions=None, limit=None, **options):
        if where is not None:
            raise Unsupported
        return self.manager(level).select_records(
            filter_conditions=conditions, limit=limit, **options
        )

    def distinct(self, level, record, columns):
        return [list(row) for row in self.manager(level).select_distinct(columns)]

    def recent(self, level, record, limit=None, start=None, end=None, **options):
        if options.pop("cursor", None) is not None:
            raise Unsupported
        # Its `start` is the newest time, its `end` the oldest.
        return self.manager(level).list_recent_results(limit, local(end), local(start), **options)

    def schema_(self, level, record):
        manager = self.manager()
        return {
            "pipeline_name": manager.pipeline_name,
            "levels": {
                name: {result: definition(of) for result, of in results.items()}
                for name, results in manager.all_result_schemas.items()
            },
            "statuses": list(manager.status_schema or ()),
        }

    def highlighted(self, level, record):
        return self.manager(level).highlighted_results


OPERATIONS = {
    **{name: getattr(Store, name) for name in ("report", "report_many", "retrieve", "value")},
    **{name: getattr(Store, name) for name in ("describe", "records", "count", "remove")},
    **{name: getattr(Store, name) for name in ("set_status", "get_status", "clear_status")},
    **{name: getattr(Store, name) for name in ("statuses", "history", "select", "distinct")},
    **{name: getattr(Store, name) for name in ("recent", "highlighted")},
    "schema": Store.schema_,
}


def completed(schema, namespace):
    """Return the schema with the `pipeline_name` and the descriptions that pipestat asks for."""
    schema = copy.deepcopy(schema)
    properties = schema.get("properties")
    place = properties if isinstance(properties, dict) else schema
    if namespace is not None:
        place.setdefault("pipeline_name", namespace)
    samples, project = place.get("samples"), place.get("project")
    if place is properties:
        samples = inside(inside(samples, "items"), "properties")
        project = inside(project, "properties")
    for section in (samples, project):
        describe(section)
    return schema


def describe(section):
    """Give each result, and what is declared inside it, a description."""
    for result in section.values() if isinstance(section, dict) else ():
        if isinstance(result, dict):
            result.setdefault("description", "a result")
            describe(result.get("properties"))


def inside(section, key):
    return section.get(key) if isinstance(section, dict) else None


def definition(schema):
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return {
        "type": None if kinds is None else sorted(kinds),
        "object_type": schema.get("object_type"),
        "highlight": schema.get("highlight") is True,
    }


def specified(time):
    """Return a local time of whole seconds in the form of the specification."""
    if not isinstance(time, str):
        return time
    return datetime.datetime.strptime(time, LOCAL).astimezone(UTC).strftime(SPECIFIED)


def local(time):
    if time is None:
        return None
    read = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
    if read.tzinfo is not None:
        read = read.astimezone().replace(tzinfo=None)
    return read.strftime(LOCAL)


def code(error):
    """Return the code of an exception; one that is not of pipestat's tree is `store`."""
    return next((name for kind, name in CODES if isinstance(error, kind)), "store")


def decoded(value):
    """Return a value of the protocol with what JSON cannot carry."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value == {"$nan": True}:
        return math.nan
    if value.keys() == {"$inf"}:
        return math.copysign(math.inf, value["$inf"])
    if value.keys() == {"$surrogate"}:
        return chr(int(value["$surrogate"], 16))
    return {key: decoded(item) for key, item in value.items()}


class Harness:
    """Answers the messages of one connection."""

    def __init__(self, folder, profiles):
        self.folder, self.profiles, self.store = folder, profiles, None

    def hello(self, message):
        version = importlib.metadata.version("pipestat")
        return {
            "impl": {"name": "pipestat", "version": version, "language": "Python"},
            "protocol": 1,
            "capabilities": CAPABILITIES,
            "profiles": self.profiles,
        }

    def open(self, message):
        self.store = None
        settings = message.get("settings") or {}
        self.store = Store(message["store"], message.get("schema"), settings, self.folder)
        return {"ok": True}

    def op(self, message):
        operation = OPERATIONS.get(message["op"])
        if operation is None:
            raise Unsupported
        args = decoded(message["args"])
        level, record = args.pop("level", "sample"), args.pop("record", None)
        return {"ok": True, "result": operation(self.store, level, record, **args)}

    def answer(self, message):
        signal.alarm(SECONDS)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        try:
            found = getattr(self, message["cmd"])(message)
            # What is no JSON, such as a date, must not look like a string.
            json.dumps(found, allow_nan=False)
            return found
        except Unsupported:
            return {"unsupported": True}
        except Refused as refused:
            text = repr(refused.__cause__ or "pipestat returned False")
            return {"error": {"code": str(refused), "message": text[:300]}}
        except (Exception, SystemExit) as error:
            return {"error": {"code": code(error), "message": repr(error)[:300]}}
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)


def read_own_files_once():
    """Read and check the schema of configurations, and the statuses, once for all openings.

    It takes more than half of the time of most openings, and the outcome is always the same.
    """
    read, check = implementation.load_yaml, implementation.validate
    if getattr(read, "once", False):
        return
    own = {path: read(path) for path in (implementation.CFG_SCHEMA, implementation.STATUS_SCHEMA)}
    schema = own[implementation.CFG_SCHEMA]
    check({}, schema)

    def load_yaml(filepath):
        return copy.deepcopy(own[filepath]) if filepath in own else read(filepath)

    def validate(instance, given):
        if instance or given != schema:
            check(instance, given)

    load_yaml.once = True
    implementation.load_yaml, implementation.validate = load_yaml, validate


def gave_up(number, frame):
    raise TimeoutError(f"no answer within {CPU_SECONDS} s of CPU time, or {SECONDS} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--claim", action="append", default=[], help="one profile more")
    claimed = PROFILES + parser.parse_args().claim
    read_own_files_once()
    logging.disable(logging.CRITICAL)
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, gave_up)
    # Whatever pipestat prints must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(folder, claimed)
        for line in sys.stdin:
            message = json.loads(line)
            if message["cmd"] == "bye":
                break
            answer = {"seq": message["seq"], **harness.answer(message)}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
