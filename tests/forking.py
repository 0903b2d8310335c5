"""A program whose imports are made once: each start of it is a fork, and costs no second.

`forking.py PROGRAM MODULE...` imports the modules, prints where it listens, and forks when
`start_fork.py` asks; of `MODULE:FUNCTION` the function is called too, for what it keeps. What is
forked has the standard streams, the folder, the environment and the arguments of the process that
asks, and gives it its exit code; when that process is killed, it is killed too. What it imported
itself is imported for the next ones when it has ended, but nothing of a package that is given as
`-PACKAGE`. Only the standard library is used, so that any environment will do.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn

_START = Path(__file__).with_name("start_fork.py")


@contextmanager
def running(
    program: str,
    modules: Sequence[str],
    *,
    python: str | Path = sys.executable,
    environment: dict[str, str] | None = None,
    cwd: Path | None = None,
    anew: Sequence[str] = (),
) -> Iterator[list[str]]:
    """Give the command that starts `program`, a module or a path, with the modules imported.

    `module:function` has a function called as well, without arguments. The packages of `anew` are
    imported by each process: what they do then depends on the folder, or on what came before.
    """
    with subprocess.Popen(
        [python, __file__, program, *modules, *(f"-{package}" for package in anew)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address, f"{program} cannot be started in forks"
        yield [sys.executable, "-I", "-S", str(_START), address]
        server.communicate(timeout=600)


class Forks:
    """Forks a process for every connection, and kills it when the connection ends."""

    def __init__(self, program: str, anew: set[str]) -> None:
        self._path, self._code = _compiled(program)
        self._folder_first = _folder_first(program)
        self._anew = anew
        self._folder = tempfile.mkdtemp(prefix="forking-")
        self.address = os.path.join(self._folder, "socket")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen(128)
        # The connection of each process that was forked, by its number.
        self._connections: dict[int, socket.socket] = {}
        self._tried = set(sys.modules)
        self._ended, tell = socket.socketpair()
        for end in (self._ended, tell):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
        self._tell = tell

    def serve(self) -> None:
        """Serve until stdin is closed."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(self._listener, select.POLLIN)
        poll.register(self._ended, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == 0:
                    self._close()
                    return
                if descriptor == self._listener.fileno():
                    self._begin(poll)
                elif descriptor == self._ended.fileno():
                    self._ended.recv(4096)
                    self._end(poll)
                else:
                    self._kill(poll, descriptor)

    def _begin(self, poll: select.poll) -> None:
        connection, _ = self._listener.accept()
        size, descriptors, _, _ = socket.recv_fds(connection, 4, 3)
        with connection.makefile("rb") as stream:
            text = stream.read(int.from_bytes(size, "big"))
        if len(descriptors) < 3:
            connection.close()
            return
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            own = (self._listener, self._ended, self._tell, connection)
            for end in (*own, *self._connections.values()):
                end.close()
            os._exit = self._leave(os.getpid())
            ended = 1
            try:
                ended = _become(self._path, self._code, self._folder_first, text, descriptors)
            finally:
                os._exit(ended)
        for descriptor in descriptors:
            os.close(descriptor)
        self._connections[child] = connection
        poll.register(connection, select.POLLIN)

    def _kill(self, poll: select.poll, descriptor: int) -> None:
        """Kill the process of a connection: nothing comes from it but its end."""
        for child, connection in self._connections.items():
            if connection.fileno() == descriptor:
                poll.unregister(descriptor)
                os.kill(child, signal.SIGKILL)

    def _end(self, poll: select.poll) -> None:
        """Give the exit codes of the processes that have ended to who asked for them."""
        for child in list(self._connections):
            ended, status = os.waitpid(child, os.WNOHANG)
            if not ended:
                continue
            connection = self._connections.pop(child)
            with suppress(KeyError, OSError):
                poll.unregister(connection)
                connection.send(bytes([os.waitstatus_to_exitcode(status) % 256]))
            connection.close()
            self._import_as(child)

    def _leave(self, process: int) -> Callable[[int], NoReturn]:
        """Return what ends a process, which tells before what it imported."""
        end = os._exit

        def leave(code: int) -> NoReturn:
            names = [name for name in sys.modules if name not in self._tried]
            # Not those that it forks itself.
            if names and os.getpid() == process:
                self._imports_of(process).write_text("\n".join(names), "utf-8")
            end(code)

        return leave

    def _import_as(self, child: int) -> None:
        """Import what a process that has ended had imported: the next one will want it too."""
        try:
            names = self._imports_of(child).read_text("utf-8").split("\n")
        except FileNotFoundError:
            return
        self._imports_of(child).unlink()
        for name in names:
            # Some are in no file, and some are of this one program only.
            if name not in self._tried and name.partition(".")[0] not in self._anew:
                with suppress(Exception):
                    importlib.import_module(name)
        self._tried.update(names, sys.modules)
        gc.freeze()

    def _imports_of(self, process: int) -> Path:
        return Path(self._folder, f"imports-{process}")

    def _close(self) -> None:
        for child in self._connections:
            os.kill(child, signal.SIGKILL)
        shutil.rmtree(self._folder)


def _compiled(program: str) -> tuple[str, CodeType]:
    path = program
    if os.sep not in program:
        found = importlib.util.find_spec(program)
        assert found is not None
        assert found.origin is not None
        path = found.origin
    return path, compile(Path(path).read_bytes(), path, "exec")


def _folder_first(program: str) -> str | None:
    """Return what `sys.path` begins with: a script's folder, for a module the working folder."""
    return os.path.dirname(program) if os.sep in program else None


def _become(
    path: str, code: CodeType, folder_first: str | None, asked: bytes, descriptors: list[int]
) -> int:
    """Be the program in this process; return its exit code."""
    ended = 1
    try:
        os.setsid()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        folder, count, *rest = os.fsdecode(asked).split("\0")
        os.chdir(folder)
        sys.path[0] = folder if folder_first is None else folder_first
        os.environ.clear()
        os.environ.update(variable.split("=", 1) for variable in rest[int(count) :])
        time.tzset()
        sys.argv = [path, *rest[: int(count)]]
        # A stream that nobody holds any more would close its descriptor.
        sys.stdin = sys.__stdin__ = open(0, encoding="utf-8")  # noqa: SIM115
        sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8")  # noqa: SIM115
        main = sys.modules["__main__"] = ModuleType("__main__")
        main.__file__ = path
        exec(code, main.__dict__)
        ended = 0
    except SystemExit as done:
        ended = done.code if isinstance(done.code, int) else int(done.code is not None)
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    return ended


def main(program: str, *modules: str) -> None:
    """Fork the program for whoever asks, until stdin is closed."""
    sys.path[0] = _folder_first(program) or os.getcwd()
    anew = {module[1:] for module in modules if module.startswith("-")}
    for module in modules:
        if module.startswith("-"):
            continue
        name, _, function = module.partition(":")
        imported = importlib.import_module(name)
        if function:
            getattr(imported, function)()
    forks = Forks(program, anew)
    # What a collection touches would be copied in every fork.
    gc.freeze()
    print(forks.address, flush=True)
    forks.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
