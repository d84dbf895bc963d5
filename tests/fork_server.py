"""A fork server for the command line: a process that has imported everything once, and forks for every command.

What runs is a real process with real streams and a real exit code, which has not spent seconds on imports. Run as a
program of its own, so that what is forked has one thread: `python tests/fork_server.py SOCKET LIBRARY...`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import socket
import sys
from contextlib import suppress
from typing import Any, NoReturn

STREAMS = 3


def serve(channel: socket.socket) -> None:
    """Answer every request with the number of its process, then with the status it ended with, until no more come."""
    while True:
        header, streams, _, _ = socket.recv_fds(channel, 4, STREAMS)
        if not header:
            return
        request = json.loads(_received(channel, int.from_bytes(header)))
        child = os.fork()
        if child == 0:
            channel.close()
            _run(request, streams)
        for stream in streams:
            os.close(stream)
        channel.sendall(child.to_bytes(4))
        channel.sendall(os.waitpid(child, 0)[1].to_bytes(4))


def _received(channel: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += channel.recv(count - len(data))
    return data


def _run(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Become the command: its streams, folder, environment and arguments."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["rnncli", *request["arguments"]]
    from rnncli.cli.app import main

    main()
    os._exit(70)  # it never comes back


def prepare(libraries: list[str]) -> None:
    """Import every module that can be imported, without PyTorch unless that is among the libraries."""
    import rnncli

    for name in libraries:
        importlib.import_module(name)
    without = [] if "torch" in libraries else ["torch"]
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]
    for module in pkgutil.walk_packages(rnncli.__path__, "rnncli."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError):
                importlib.import_module(module.name)
    for name in without:
        del sys.modules[name]
    gc.freeze()  # what is not moved about need not be copied after a fork


if __name__ == "__main__":
    prepare(sys.argv[2:])
    serve(socket.socket(fileno=int(sys.argv[1])))
