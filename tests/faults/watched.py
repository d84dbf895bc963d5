"""Run the command line while an audit hook watches it: `python watched.py OUTPUT:OUTPUT ARGUMENTS`.

At the first act that the program must never do the process prints FORBIDDEN and ends with code 99.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

NEVER = (
    *("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"),
    *("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"),
    *("os.chown", "os.symlink", "os.link", "os.rmdir", "os.truncate"),
    *("shutil.rmtree", "shutil.copyfile", "shutil.move", "tempfile.mkstemp", "tempfile.mkdtemp", "pty.spawn"),
    *("urllib.Request", "ftplib.connect", "http.client.connect", "smtplib.connect"),
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
IMPORTS = ("<frozen importlib._bootstrap_external>", "<frozen zipimport>")
declared: set[str] = set()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook."""
    if event in NEVER or (event == "marshal.loads" and not _called_by(IMPORTS)):
        _stop(event, arguments)
    if event == "open" and _writes(arguments) and not _allowed(arguments[0]):
        _stop(event, arguments)
    if event == "os.mkdir" and not os.path.isdir(arguments[0]):  # noqa: PTH112
        _stop(event, arguments)
    if event in ("os.utime", "os.chmod") and not _allowed(arguments[0]):
        _stop(event, arguments)
    if event in ("os.rename", "os.remove") and not all(map(_allowed, arguments[: 2 if event == "os.rename" else 1])):
        _stop(event, arguments)


def _writes(arguments: tuple[Any, ...]) -> bool:
    """Whether a file is opened by name to be written; a number is a stream that was open before."""
    path, _, flags = arguments
    return not isinstance(path, int) and bool(flags & WRITES)


def _allowed(path: Any) -> bool:
    """Whether it is an output that was asked for, or what may lie beside it."""
    if isinstance(path, int):
        path = os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115 pathlib itself is audited
    folder, name = os.path.split(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 likewise
    beside = re.fullmatch(r"\.(.+)\.(tmp\.\d+|lock)", name)
    name = beside[1] if beside else name
    names = {name, name.removesuffix(".partial")}
    return any(os.path.join(folder, name) in declared for name in names) or path == os.devnull  # noqa: PTH118


def _called_by(files: tuple[str, ...]) -> bool:
    return sys._getframe(2).f_code.co_filename in files


def _stop(event: str, arguments: tuple[Any, ...]) -> None:
    frames, frame = [], sys._getframe(2)
    while frame is not None:
        frames.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    os.write(2, f"FORBIDDEN {event} {arguments!r}\n{chr(10).join(frames)}\n".encode(errors="backslashreplace"))
    os._exit(99)


if __name__ == "__main__":
    declared.update(os.path.abspath(path) for path in sys.argv[1].split(os.pathsep) if path)  # noqa: PTH100
    sys.argv[:2] = ["rnncli"]
    sys.path[0] = os.environ["PYTHONPATH"]
    sys.addaudithook(watch)
    from rnncli.cli.app import main

    main()
