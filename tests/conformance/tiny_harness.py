"""A harness that shares nothing with the suite: reports and retrieves, in a JSON file.

`--fault NAME` lets it break the protocol in one way, `--wrong NAME` give wrong answers.
Imports nothing but the standard library, so that it starts fast.
"""

import argparse
import json
import os
import signal
import sys
import time

_CODES = {"unknown-code": "oops"}


class Store:
    def __init__(self, path):
        self.path = path
        self.records = {}
        if os.path.exists(path):
            with open(path) as file:
                self.records = json.load(file)

    def save(self):
        with open(self.path + ".tmp", "w") as file:
            json.dump(self.records, file)
        os.replace(self.path + ".tmp", self.path)


class Refused(Exception):
    pass


def perform(store, op, args, wrong):
    if "source" in args or args.get("level") == "project":
        raise LookupError(op)
    if op == "report":
        record = {**store.records.get(args["record"], {})}
        for name, value in args["values"].items():
            if not args.get("overwrite") and record.get(name, value) != value:
                raise Refused("conflict")
            record[name] = value
        store.records[args["record"]] = record
        if wrong != "forgets":
            store.save()
        return None
    if op == "records":
        return sorted(store.records)
    if op not in ("retrieve", "value"):
        raise LookupError(op)
    record = store.records.get(args["record"])
    if record is None:
        raise Refused("not-found")
    if op == "retrieve":
        return record
    if args["result"] not in record:
        raise Refused("not-found")
    return str(record[args["result"]]) if wrong == "strings" else record[args["result"]]


def answer(message, state, fault, wrong):
    seq = message["seq"]
    if message["cmd"] == "hello":
        capabilities = ["no-such-capability"] if fault == "unknown-capability" else []
        profiles = {"unknown-profile": ["core", "gold"], "no-profile": []}.get(fault, ["core"])
        return {
            "seq": seq,
            "impl": {"name": "tiny", "version": "1", "language": "Python"},
            "protocol": 2 if fault == "protocol-2" else 1,
            "capabilities": capabilities,
            "profiles": profiles,
        }
    if message["cmd"] == "open":
        state["store"] = Store(message["store"]["path"])
        return {"seq": seq, "ok": True}
    if wrong == "unsupported":
        return {"seq": seq, "unsupported": True}
    if wrong == "null":
        return {"seq": seq, "ok": True, "result": None}
    try:
        return {
            "seq": seq,
            "ok": True,
            "result": perform(state["store"], message["op"], message["args"], wrong),
        }
    except Refused as refused:
        return {"seq": seq, "error": {"code": _CODES.get(fault, str(refused))}}
    except LookupError:
        return {"seq": seq, "unsupported": True}


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fault", default="")
    parser.add_argument("--wrong", default="")
    parser.add_argument("--when", default="op", help="at which message the fault shows")
    options = parser.parse_args()
    fault, state = options.fault, {"store": None}
    sys.stderr.write("tiny harness at work\n" * (20000 if fault == "loud" else 1))
    sys.stderr.flush()
    for line in sys.stdin:
        message = json.loads(line)
        if message["cmd"] == "bye":
            if fault == "hangs-at-bye":
                time.sleep(600)
            if fault == "talks-at-bye":
                say('{"bye": true}\n')
            sys.exit(3 if fault == "exit-code" else 0)
        response = json.dumps(answer(message, state, fault, options.wrong))
        if message["cmd"] != options.when:
            say(response + "\n")
        elif fault == "crash":
            raise RuntimeError("the disk is on fire")
        elif fault == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault == "hang":
            time.sleep(600)
        elif fault == "split":
            say(response[:10] + "\n" + response[10:] + "\n")
        elif fault == "half":
            say(response[: len(response) // 2])
            time.sleep(600)
        elif fault == "half-and-ends":
            say(response[: len(response) // 2])
            sys.exit(0)
        elif fault == "garbage":
            say("%PDF-1.4\n")
        elif fault == "not-utf-8":
            sys.stdout.buffer.write(b'{"seq": \xff}\n')
            sys.stdout.flush()
        elif fault == "array":
            say("[1]\n")
        elif fault == "wrong-seq":
            say(json.dumps({**json.loads(response), "seq": message["seq"] + 1}) + "\n")
        elif fault == "no-seq":
            say('{"ok": true}\n')
        elif fault == "nan":
            say(json.dumps({"seq": message["seq"], "ok": True, "result": float("nan")}) + "\n")
        elif fault == "twice":
            say(f'{{"seq": {message["seq"]}, "ok": true, "ok": true}}\n')
        elif fault == "both":
            say(f'{{"seq": {message["seq"]}, "ok": true, "unsupported": true}}\n')
        elif fault == "noise-before":
            say("opening store...\n" + response + "\n")
        elif fault == "noise-after":
            say(response + "\ndone\n")
        elif fault == "pieces":
            for i in range(0, len(response), 7):
                say(response[i : i + 7])
                time.sleep(0.002)
            say("\n")
        else:
            say(response + "\n")


if __name__ == "__main__":
    main()
