"""`pipestat-spec serve` as a process of its own, and asking it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests import patience
from tests.commands import PROGRAM
from tests.environments import clean_environment

TOKEN = "a-lasting-token-of-the-tests"


class Answer(NamedTuple):
    """An answer of the server: status, headers by name in lower case, and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """One running server; `told` is what it has printed so far."""

    def __init__(self, folder: Path, *arguments: object, port: int = 0) -> None:
        self.folder, self.arguments = folder, arguments
        self.told: list[str] = []
        self.port = port
        self.start()

    def start(self) -> None:
        """Start it, at the same port as before, and wait until it has printed its link."""
        self.told.clear()
        self.process = subprocess.Popen(
            [PROGRAM, "serve", *map(str, self.arguments), "--port", str(self.port)],
            cwd=self.folder,
            env=clean_environment(
                PIPESTAT_SERVE_TOKEN=TOKEN, XDG_STATE_HOME=str(self.folder / "state")
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(until(self._port))
        until(lambda: self.get("/healthz").status == 200)

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.told.extend(iter(self.process.stderr.readline, ""))

    def _port(self) -> str | None:
        assert self.process.poll() is None, self.told
        found = re.search(r":(\d+)/", self.link() or "")
        return found and found[1]

    def link(self) -> str | None:
        """Return the link that it printed last."""
        links = [word for line in [*self.told] for word in line.split() if "?token=" in word]
        return links[-1] if links else None

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """End it as a service manager does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(patience.SECONDS)
        self._reader.join(patience.SECONDS)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience.SECONDS)

    def get(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """Ask for a path, with the lasting token unless a header says something else."""
        given = {"Authorization": f"Bearer {TOKEN}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        if content is not None:
            given.setdefault("Content-Type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, content, given)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    def events(self, store: str, after: str = "", **headers: str) -> Iterator[tuple[str, str, Any]]:
        """Yield kind, id and data of a store's events; they end when the server does."""
        connection = self.connect()
        given = {"Authorization": f"Bearer {TOKEN}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", f"/api/v1/stores/{store}/events?after={after}", headers=given)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        try:
            fields: dict[str, str] = {}
            for line in iter(answer.readline, b""):
                name, _, text = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = text
                elif "event" in fields:
                    yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
                    fields = {}
        finally:
            connection.close()


def until(look: Any) -> Any:
    """Look again and again until something true is found, and return it."""

    def found() -> Any:
        with suppress(OSError):
            return look()

    return patience.wait_until(found, "what is looked for")


def memory_of(process: int) -> int:
    """Return how many bytes of memory a process has in use."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
