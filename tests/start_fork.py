"""Runs the program of a server of forks (forking.py): `start_fork.py SOCKET ARGUMENT...`.

It starts thousands of times in one run of the tests, so it imports only what Python has loaded
anyway, but for sockets, and ends without the end of an interpreter: 9 ms instead of 15.
"""

import _socket
import posix
import sys


def main(address: str, *arguments: str) -> int:
    """Have the program run with these arguments; return its exit code."""
    coding, errors = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
    asked = [posix.getcwd(), str(len(arguments)), *arguments]
    environment = [name + b"=" + value for name, value in posix.environ.items()]
    text = b"\0".join([*(word.encode(coding, errors) for word in asked), *environment])
    connection = _socket.socket(_socket.AF_UNIX)
    connection.connect(address)
    # The numbers of the standard streams, as C has them.
    numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    streams = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)
    connection.sendmsg([len(text).to_bytes(4, "big")], [streams])
    while text:
        text = text[connection.send(text) :]
    # The streams are the program's now: their ends tell when it has closed them.
    posix.close(0)
    posix.close(1)
    code = connection.recv(1)
    # Without an answer the server has gone, and the program with it.
    return code[0] if code else 255


if __name__ == "__main__":
    posix._exit(main(*sys.argv[1:]))
