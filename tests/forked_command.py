"""`rnncli` for shells that tests start: asks a fork server to run it, with this process's streams and environment.

`python -IS tests/forked_command.py NAME ARGUMENTS`; with `-c CODE` as arguments the server runs that code.
"""

from __future__ import annotations

import json
import os
import socket
import sys


def main(name: str, arguments: list[str]) -> int:
    """The exit code of the command."""
    request = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109 pathlib takes longer to import than this takes
    data = json.dumps(request).encode()
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(f"\0{name}")
        socket.send_fds(channel, [len(data).to_bytes(4)], [0, 1, 2])
        channel.sendall(data)
        channel.recv(4)
        status = os.waitstatus_to_exitcode(int.from_bytes(channel.recv(4)))
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
