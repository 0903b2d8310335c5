"""PgBouncer in front of a test server: many clients share its few connections."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from tests import patience
from tests.legs import leave_out
from tests.sql.servers import PostgresServer, free_port, unprivileged


class PgBouncer:
    """A pooler of transactions with two connections to a server, which come in turn.

    Who relies on a session meets another one with the next transaction.
    """

    def __init__(
        self, server: PostgresServer, place: tuple[str, int] | None = None, **settings: Any
    ) -> None:
        """Start a pooler in front of a server, or of what forwards to it at `place`."""
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            leave_out("pgbouncer", "PgBouncer is not installed", "apt-get install pgbouncer")
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="pipestat-pgbouncer-"))
        self.folder.chmod(0o755)
        (self.folder / "users").write_text('"postgres" ""\n')
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": 2,
            "server_round_robin": 1,
            "max_client_conn": 200,
            "logfile": self.folder / "log",
            **settings,
        }
        host, port = place or (server.folder, server.port)
        config = self.folder / "pgbouncer.ini"
        config.write_text(
            f"[databases]\npostgres = host={host} port={port} user=postgres\n"
            "[pgbouncer]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items())
        )
        self._process = subprocess.Popen(
            [program, "-q", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **unprivileged(self.folder),
        )
        self._wait()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _wait(self) -> None:
        def answers() -> bool:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                return False
            return True

        patience.wait_until(answers, "PgBouncer answers", pause=0.05)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(patience.SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)
