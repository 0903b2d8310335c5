"""A server that speaks the part of PEPhub's API that a store needs, oddities included.

Real HTTP, so that clients in any language can be tried on it. What it does was seen on PEPhub
0.15, or is what pepdbagent 0.13, its storage, does:

- the samples of a project are a chain: each knows the one before. Two that are added at the same
  time know the same one, and the list shows one of them; removing the one before both removes
  the other. Without any sample a project can neither be listed nor extended.
- PATCH reads the sample, merges and writes it, and locks nothing.
- a token with a wrong signature, or an expired one, counts as none, and nobody says so.
- a table that the editor saves is a rectangle (`save_as_editor`), a project that is overwritten
  through the API has samples that no name finds (`overwrite_by_api`).
- a name may stand twice in a PEP; requests by name mean the first one.
- who may not write is answered 401, but for PATCH: 404, as if the sample were not there.
- POST looks at the name in the body, not at the one in the address.

`faults` are for tests: what goes wrong with the next requests.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests import patience

__all__ = ["ContractServer", "Fault", "Logged", "Pep"]

Name = tuple[str, str, str]


@dataclass
class Entry:
    """One sample, and the one before it."""

    parent: str | None
    name: str | None
    sample: dict[str, Any]


@dataclass
class Pep:
    """One project."""

    config: dict[str, Any]
    entries: dict[str, Entry] = field(default_factory=dict)
    private: bool = False

    @property
    def index(self) -> str:
        name: str = self.config.get("sample_table_index", "sample_name")
        return name

    def chain(self) -> list[str]:
        """Return the ids of the samples that a walk from the first one meets."""
        after = {e.parent: guid for guid, e in self.entries.items() if e.parent is not None}
        current = next((guid for guid, e in self.entries.items() if e.parent is None), None)
        if current is None:
            raise ValueError("No root node found")
        found = []
        while current is not None:
            found.append(current)
            current = after.get(current)
        return found

    def listed(self) -> list[dict[str, Any]]:
        return [self.entries[guid].sample for guid in self.chain()]

    def find(self, name: str) -> str | None:
        return next((guid for guid, e in self.entries.items() if e.name == name), None)

    def remove(self, guid: str) -> None:
        gone = self.entries.pop(guid)
        children = [child for child, e in self.entries.items() if e.parent == guid]
        if children:
            self.entries[children[0]].parent = gone.parent
        for child in children[1:]:
            self.remove(child)


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of a method.

    `before` is called first. The request takes effect when `processed`. Then, after `delay`
    seconds, the connection is cut, or `status` answered, or without one what it deserves.
    """

    method: str
    times: int = 1
    processed: bool = False
    cut: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"detail": "Internal error"}'
    delay: float = 0.0
    before: Callable[[], None] | None = None


@dataclass(frozen=True)
class Logged:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    document: Any


class Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class ContractServer:
    """One server on a free port of this machine.

    `tokens` maps a token to the namespaces that it may write. In the namespaces `on_demand`
    every project is there, with one sample of its own. `between` is called between the reading
    and the writing of a change, and takes `pause` seconds if it is not replaced. `list_key` is what
    an answer calls the samples of a project.
    """

    def __init__(
        self,
        *,
        tokens: Mapping[str, Iterable[str]] | None = None,
        expired: Iterable[str] = (),
        on_demand: Iterable[str] = (),
        pause: float = 0.002,
        certificate: Path | None = None,
        list_key: str = "sample_list",
    ) -> None:
        self.list_key = list_key
        self.tokens = {token: set(names) for token, names in (tokens or {}).items()}
        self.expired, self.on_demand = set(expired), set(on_demand)
        self.between: Callable[[], object] = lambda: pause and time.sleep(pause)
        self.peps: dict[Name, Pep] = {}
        self.log: list[Logged] = []
        self.faults: list[Fault] = []
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.port: int = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> ContractServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self._server.shutdown()
        self._server.server_close()
        self._server.cut_all()
        self._thread.join(patience.SECONDS)

    # What tests do behind the back of the clients

    def add_project(
        self,
        path: str,
        samples: Iterable[Mapping[str, Any]] = ({"sample_name": "pep"},),
        *,
        private: bool = False,
        config: Mapping[str, Any] | None = None,
    ) -> Pep:
        """Make a project, `namespace/project:tag`, with these samples."""
        pep = Pep({"pep_version": "2.1.0", **(config or {})}, private=private)
        parent = None
        for sample in samples:
            guid = str(uuid.uuid4())
            # Through text, as into a database.
            stored = json.loads(json.dumps(sample))
            pep.entries[guid] = Entry(parent, str(sample[pep.index]), stored)
            parent = guid
        self.peps[_name(path)] = pep
        return pep

    def samples(self, path: str) -> dict[str, dict[str, Any]]:
        """Return what is stored, by name of the sample."""
        return {
            entry.name: entry.sample
            for entry in self.peps[_name(path)].entries.values()
            if entry.name is not None
        }

    def save_as_editor(self, path: str) -> None:
        """Store the listed samples as the editor does, which works on a table of JavaScript."""
        pep = self.peps[_name(path)]
        columns = dict.fromkeys(name for sample in pep.listed() for name in sample)
        for entry in pep.entries.values():
            entry.sample = {
                name: float(value) if type(value := entry.sample.get(name, "")) is int else value
                for name in columns
            }

    def overwrite_by_api(self, path: str) -> None:
        """Store the samples as an overwritten project has them: without a name to find them by."""
        for entry in self.peps[_name(path)].entries.values():
            entry.name = None

    def methods(self) -> list[str]:
        """Return the methods of the requests since the last call."""
        with self._lock:
            found, self.log = [logged.method for logged in self.log], []
        return found

    # Answers

    def take_fault(self, logged: Logged) -> Fault | None:
        with self._lock:
            self.log.append(logged)
            for fault in self.faults:
                if fault.method == logged.method:
                    fault.times -= 1
                    if not fault.times:
                        self.faults.remove(fault)
                    return fault
        return None

    def answer(self, logged: Logged) -> tuple[int, Any]:
        """Return status and document; raises Refused."""
        writable = self._writable(logged)
        query = parse_qs(logged.query, keep_blank_values=True)
        # Decoded first and split afterwards, as the server does it: an encoded slash is one.
        parts = unquote(logged.path).split("/")
        if parts[:4] != ["", "api", "v1", "projects"] or len(parts) not in (6, 7, 8):
            raise Refused(404, "Not Found")
        namespace, project = parts[4:6]
        pep = self._readable((namespace, project, query.get("tag", ["default"])[0]), writable)
        if len(parts) == 6:
            return self._project(logged, pep)
        if parts[6] != "samples":
            raise Refused(404, "Not Found")
        if len(parts) == 7:
            return self._table(logged, pep)
        routes = {
            "GET": self._get,
            "POST": self._post,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        where = f"{namespace}/{project}:{query.get('tag', ['default'])[0]}"
        overwrite = query.get("overwrite", ["false"])[0].lower() in ("true", "1")
        route = routes.get(logged.method)
        if route is None:
            raise Refused(405, "Method Not Allowed")
        return route(
            _Asked(pep, parts[7], where, namespace in writable, overwrite, logged.document)
        )

    def _writable(self, logged: Logged) -> set[str]:
        token = logged.headers.get("Authorization", "").removeprefix("Bearer ")
        return set() if token in self.expired else self.tokens.get(token, set())

    def _readable(self, name: Name, writable: set[str]) -> Pep:
        with self._lock:
            if name not in self.peps and name[0] in self.on_demand:
                self.add_project(f"{name[0]}/{name[1]}:{name[2]}")
        pep = self.peps.get(name)
        if pep is None or (pep.private and name[0] not in writable):
            shown = f"{name[0]}/{name[1]}:{name[2]}"
            raise Refused(
                404, f"PEP '{shown}' does not exist in database. Did you spell it correctly?"
            )
        return pep

    def _project(self, logged: Logged, pep: Pep) -> tuple[int, Any]:
        if logged.method != "GET":
            raise Refused(405, "Method Not Allowed")
        return 200, {"config": pep.config, self.list_key: pep.listed(), "subsample_list": []}

    def _table(self, logged: Logged, pep: Pep) -> tuple[int, Any]:
        """Answer as a table of pandas does: what is missing is null, beside it integers are not."""
        if logged.method != "GET":
            raise Refused(405, "Method Not Allowed")
        samples = pep.listed()
        columns = dict.fromkeys(name for sample in samples for name in sample)
        gaps = {name for name in columns if any(name not in sample for sample in samples)}
        items = [
            {name: _in_table(sample.get(name), name in gaps) for name in columns}
            for sample in samples
        ]
        return 200, {"count": len(items), "items": items}

    def _get(self, asked: _Asked) -> tuple[int, Any]:
        guid = asked.pep.find(asked.name)
        if guid is None:
            raise Refused(404, f"Sample '{asked.name}' not found in project '{asked.where}'")
        return 200, asked.pep.entries[guid].sample

    def _post(self, asked: _Asked) -> tuple[int, Any]:
        pep, document = asked.pep, asked.document
        if not asked.permitted:
            raise Refused(401, "You do not have permission to upload this sample.")
        if pep.index not in document:
            raise Refused(400, "Could not upload sample. Server error!")
        name = str(document[pep.index])
        guid = pep.find(name)
        if guid is not None and not asked.overwrite:
            raise Refused(
                409, "Sample already exists in project. Use 'overwrite' parameter to overwrite."
            )
        if guid is None:
            try:
                parent = pep.chain()[-1]
            except ValueError:
                raise Refused(400, "Could not upload sample. Server error!") from None
            self.between()
            pep.entries[str(uuid.uuid4())] = Entry(parent, name, document)
        else:
            self.between()
            pep.entries[guid].sample = document
        return 202, {"message": "Sample uploaded successfully.", "registry": asked.where}

    def _patch(self, asked: _Asked) -> tuple[int, Any]:
        pep = asked.pep
        guid = pep.find(asked.name)
        if guid is None or not asked.permitted:
            raise Refused(
                404,
                "Sample does not exist, or you do not have permission to update this sample.",
            )
        merged = {**pep.entries[guid].sample, **asked.document}
        self.between()
        # The row may be gone by now; then nothing is written, and nobody is told.
        with suppress(KeyError):
            pep.entries[guid].sample = merged
            pep.entries[guid].name = str(merged[pep.index])
        return 202, {"message": "Sample updated.", "registry": asked.where}

    def _delete(self, asked: _Asked) -> tuple[int, Any]:
        if not asked.permitted:
            raise Refused(401, "You do not have permission to delete this sample.")
        guid = asked.pep.find(asked.name)
        if guid is None:
            raise Refused(404, "Sample not found in project.")
        asked.pep.remove(guid)
        return 202, {"message": "Sample deleted successfully.", "registry": asked.where}


@dataclass(frozen=True)
class _Asked:
    pep: Pep
    name: str
    where: str
    permitted: bool
    overwrite: bool
    document: Any


def _name(path: str) -> Name:
    namespace, _, rest = path.partition("/")
    project, _, tag = rest.partition(":")
    return namespace, project, tag or "default"


def _in_table(value: Any, gap: bool) -> Any:
    return float(value) if gap and type(value) is int else value


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type, contract: ContractServer) -> None:
        super().__init__(address, handler)
        self.contract = contract
        self.connections: set[socket.socket] = set()

    def cut_all(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        document = json.loads(body) if body else None
        logged = Logged(self.command, parts.path, parts.query, dict(self.headers), document)
        contract = self.server.contract
        fault = contract.take_fault(logged) or Fault(self.command, processed=True)
        if fault.before is not None:
            fault.before()
        status, answer = 500, b""
        if fault.processed:
            status, answer = self._answer(contract, logged)
        time.sleep(fault.delay)
        if fault.cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.status is not None:
            self._send(fault.status, fault.body, fault.headers)
        elif not fault.processed:
            self._send(*self._answer(contract, logged), {})
        else:
            self._send(status, answer, {})

    def _answer(self, contract: ContractServer, logged: Logged) -> tuple[int, bytes]:
        try:
            status, document = contract.answer(logged)
        except Refused as refused:
            status, document = refused.status, {"detail": refused.detail}
        except ValueError:
            return 500, b"Internal Server Error"
        return status, json.dumps(document, ensure_ascii=False, allow_nan=False).encode()

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at `ContractServer.log`."""
