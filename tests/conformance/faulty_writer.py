"""A harness over one JSON file, with a lock; its argument names what it does wrong."""

import fcntl
import json
import os
import sys
import time

FAULT = sys.argv[1]
CHANGES = ("report", "report_many", "remove")


class Refused(Exception):
    pass


def until(happened):
    """Wait for another process, which may be slow on a busy machine, or not there at all."""
    deadline = time.monotonic() + 5
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.002)


def come(path):
    """Return which of all that have come to this moment the process is."""
    with open(path + ".met", "ab", buffering=0) as file:
        file.write(b".")
        return file.tell()


def state(path):
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def read(path):
    try:
        with open(path) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}
    except ValueError:
        if FAULT in ("tears", "in-place"):
            return {"torn": {"x": "y"}}
        raise


def write(path, records):
    text = json.dumps(records)
    if FAULT in ("tears", "in-place"):
        with open(path, "w") as file:
            for i in range(0, len(text), 1 + len(text) // 8):
                file.write(text[i : i + 1 + len(text) // 8])
                file.flush()
                time.sleep(0.01)
    else:
        temporary = f"{path}.{os.getpid()}"
        with open(temporary, "w") as file:
            file.write(text)
        os.replace(temporary, path)


def locked(path):
    if FAULT == "stale-lock":
        while True:
            try:
                return os.open(path + ".lck", os.O_CREAT | os.O_EXCL)
            except FileExistsError:
                # Waits for its owner, dead or alive, and gives up on it after a while.
                if time.time() - os.stat(path + ".lck").st_mtime > 10:
                    os.unlink(path + ".lck")
                time.sleep(0.01)
    descriptor = os.open(path + ".lock", os.O_RDWR | os.O_CREAT)
    if FAULT == "gives-up":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            open(path + ".refused", "w").close()
            raise Refused("store") from None
        until(lambda: os.path.exists(path + ".refused"))
    elif FAULT != "loses":
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def change(path, op, args):
    descriptor = locked(path)
    try:
        seen = state(path)
        records = read(path)
        if FAULT == "loses":
            # In pairs: the second of one has met the first.
            number = come(path)
            both = number + number % 2
            until(lambda: state(path) != seen or os.stat(path + ".met").st_size >= both)
        elif FAULT == "stale-lock":
            time.sleep(0.05)
        if op == "remove":
            remove(records, args)
        else:
            given = args.get("records") or {args["record"]: args["values"]}
            for record, values in given.items():
                entry = records.setdefault(record, {"results": {}, "history": {}})
                for name, value in values.items():
                    keep(entry, name)
                    entry["results"][name] = value
        write(path, records)
    finally:
        os.close(descriptor)
        if FAULT == "stale-lock":
            os.unlink(path + ".lck")


def remove(records, args):
    if "result" not in args:
        records.pop(args["record"], None)
    elif args["record"] in records:
        entry = records[args["record"]]
        keep(entry, args["result"])
        entry["results"].pop(args["result"], None)


def keep(entry, name):
    if name in entry["results"]:
        old = entry["history"].setdefault(name, {})
        old[f"2026-01-01T00:00:00.{len(old):06}Z"] = entry["results"][name]


def perform(path, op, args):
    if op in CHANGES:
        return change(path, op, args)
    records = read(path)
    if op == "records":
        return sorted(records)
    if args["record"] not in records:
        raise Refused("not-found")
    entry = records[args["record"]]
    if op == "history":
        return entry["history"]
    return entry.get("results", entry)


def answer(message, path):
    seq = message["seq"]
    if message["cmd"] == "hello":
        impl = {"name": "faulty", "version": "1"}
        claimed = ["core", "concurrent-writers", "durable"]
        hello = {"seq": seq, "impl": impl, "protocol": 1}
        return {**hello, "capabilities": ["concurrent-writers"], "profiles": claimed}
    if message["cmd"] == "open":
        return {"seq": seq, "ok": True}
    try:
        return {"seq": seq, "ok": True, "result": perform(path, message["op"], message["args"])}
    except Refused as refused:
        return {"seq": seq, "error": {"code": str(refused)}}


def main():
    path = None
    for line in sys.stdin:
        message = json.loads(line)
        if message["cmd"] == "bye":
            break
        if message["cmd"] == "open":
            path = message["store"]["path"]
        if FAULT == "late" and message.get("op") in CHANGES:
            sys.stdout.write(json.dumps({"seq": message["seq"], "ok": True}) + "\n")
            sys.stdout.flush()
            time.sleep(0.2)
            answer(message, path)
            continue
        sys.stdout.write(json.dumps(answer(message, path)) + "\n")
        sys.stdout.flush()


main()
