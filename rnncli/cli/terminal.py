"""The three streams of a process: bytes to stdout, clean lines to stderr, and whether someone is watching."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap

from rnncli.errors import StorageFailed, without_secrets

WIDTH, NARROWEST = 100, 40  # columns of a text


def say(line: str) -> None:
    """One line on stderr, without secrets of URLs, its control characters made harmless; a stderr that takes none is no
    reason to fail.
    """
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(clean(without_secrets(line)) + "\n")
        sys.stderr.flush()
    except OSError:
        _to_nowhere(2)


def clean(line: str) -> str:
    """The line without characters that would move the cursor, colour or break it."""
    return "".join(c if c.isprintable() else " " if c.isspace() else repr(c)[1:-1] for c in line)


def coloured() -> bool:
    """Whether stdout is a terminal that shows colours, and nobody said that it must not."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in ("dumb", "")
    return not plain and sys.stdout is not None and sys.stdout.isatty()


def put(data: bytes, *, safe: bool = False) -> None:
    """The result, to stdout; what is `safe` holds no text of others that could move a cursor. StorageFailed if it does
    not take it all.
    """
    if sys.stdout is None:
        raise StorageFailed("cannot write: it is closed", where="standard output")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data if safe or not sys.stdout.isatty() else _shown(data))
        sys.stdout.buffer.flush()
    except OSError as error:
        _to_nowhere(1)
        raise StorageFailed(f"cannot write: {error.strerror}".lower(), where="standard output") from error


def _shown(data: bytes) -> bytes:
    """What a terminal is given in place of text, each line made harmless: names come from files."""
    lines = data.decode(errors="backslashreplace").split("\n")
    return "\n".join(map(clean, lines)).encode(errors="backslashreplace")


def discard_stdout() -> None:
    """Let what was not written to stdout go nowhere, so that the interpreter's end does not fail again."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _to_nowhere(1)


def watched() -> bool:
    """Whether stderr is a terminal that can redraw a line."""
    capable = os.environ.get("TERM", "dumb") not in ("dumb", "")
    return capable and sys.stderr is not None and sys.stderr.isatty()


def width(descriptor: int) -> int:
    """The columns that a stream (1: stdout, 2: stderr) has: those of its terminal, 100 at most, and 100 elsewhere."""
    stream = (None, sys.stdout, sys.stderr)[descriptor]
    if stream is None or not stream.isatty():
        return WIDTH
    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))


def wrapped(text: str, columns: int, indent: str = "  ") -> list[str]:
    """A text in lines of at most so many columns, but for words that are longer; all but the first are indented."""
    return textwrap.wrap(text, columns, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False) or [
        ""
    ]


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
