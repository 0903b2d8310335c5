"""Runs the program of a server of forks (forking.py): `start_fork.py SOCKET ARGUMENT...`.

It starts a thousand times in one run of the tests: `socket` and `json` would double its time.
"""

import _socket
import array
import os
import sys


def main(address: str, *arguments: str) -> int:
    """Have the program run with these arguments; return its exit code."""
    environment = [f"{name}={value}" for name, value in os.environ.items()]
    asked = [os.getcwd(), str(len(arguments)), *arguments, *environment]
    text = os.fsencode("\0".join(asked))
    connection = _socket.socket(_socket.AF_UNIX)
    connection.connect(address)
    streams = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
    connection.sendmsg([len(text).to_bytes(4, "big")], [streams])
    while text:
        text = text[connection.send(text) :]
    # The streams are the program's now: their ends tell when it has closed them.
    os.close(0)
    os.close(1)
    code = connection.recv(1)
    # Without an answer the server has gone, and the program with it.
    return code[0] if code else 255


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
