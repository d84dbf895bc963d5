"""A fork server for the command line: a process that has imported everything once, and forks for every command.

What runs is a real process with real streams and a real exit code, which has not spent seconds on imports. Run as a
program of its own, so that what is forked has one thread: `python tests/fork_server.py SOCKET NAME LIBRARY...`. It
serves the socket, a number, and in a process beside itself whoever connects to the name: tests/forked_command.py does.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any, NoReturn

STREAMS = 3
WHEN_NEEDED = (  # inside functions
    *("encodings.ascii", "filelock", "hmac", "numpy.ma", "numpy.random", "resource", "safetensors.numpy"),
    *("pyarrow.csv", "pyarrow.parquet"),
)


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


def listen(listener: socket.socket) -> NoReturn:
    """Serve all that connect, side by side."""
    while True:
        channel, _ = listener.accept()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if os.fork() == 0:
            serve(channel)
            os._exit(0)
        channel.close()


def _received(channel: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += channel.recv(count - len(data))
    return data


def _run(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Become the command: its streams, folder, environment and arguments. `-c CODE` is Python's."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if request["arguments"][:1] == ["-c"]:
        _run_code(request["arguments"][1])
    sys.argv = ["rnncli", *request["arguments"]]
    from rnncli.cli.app import main

    main()
    os._exit(70)  # it never comes back


def _run_code(code: str) -> NoReturn:
    status = 0
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 an example of our documents
    except BaseException:  # noqa: BLE001 told as an interpreter tells it
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def prepare(libraries: list[str]) -> None:
    """Import the libraries; of `rnncli` every module that can be imported, without PyTorch unless that is named."""
    for name in (*libraries, *WHEN_NEEDED):
        importlib.import_module(name)
    if "rnncli" in libraries:
        _import_all("torch" in libraries)
    gc.freeze()  # what is not moved about need not be copied after a fork


def _import_all(training: bool) -> None:
    import rnncli

    without = [] if training else ["torch"]
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]
    for module in pkgutil.walk_packages(rnncli.__path__, "rnncli."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError):
                importlib.import_module(module.name)
    for name in without:
        del sys.modules[name]


def main(number: int, name: str, libraries: list[str]) -> None:
    """Serve the socket of a number until it is closed, and the name as long."""
    prepare(libraries)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{name}")
    listener.listen()
    beside = os.fork()
    if beside == 0:
        os.close(number)
        listen(listener)
    listener.close()
    os.write(1, b"ready\n")
    serve(socket.socket(fileno=number))
    os.kill(beside, signal.SIGKILL)
    os.waitpid(beside, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
