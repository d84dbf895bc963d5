"""The streams of a command: its result to stdout, everything else to stderr and the log."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol, Self

from rnncli.cli import failure, stopping, terminal
from rnncli.cli.watchers import EventLines, PlainLines

SKIPPED = 3  # the exit code of what was done, but not for all series
SAID = ("json", "quiet", "verbose", "debug", "log_file", "log_format", "timeout")  # options of what is told, and where

SILENT = {"json": False, "quiet": True, "log_file": None, "log_format": None, "timeout": None}
"""What a process is told that trains with others and is not the first of them."""


class Watcher(Protocol):
    """Whoever is told of events."""

    def __call__(self, event: object) -> None:
        """One event."""

    def close(self) -> None:
        """There will be no more."""


class Streams:
    """The listener of a workflow, and the way out for its result."""

    def __init__(
        self,
        command: str,
        *,
        json: bool,
        quiet: bool,
        verbose: bool,
        debug: bool,
        log_file: str | None,
        log_format: str | None,
        timeout: float | None,
    ) -> None:
        if timeout is not None:
            stopping.after(timeout)
        self.json = json
        self.quiet = quiet
        self.verbose = verbose or debug
        self._people = not quiet  # who reads plain lines on stderr
        self._command = command
        self._closing = ExitStack()
        self._records: list[Callable[[dict[str, Any]], None]] = []
        self._log: EventLines | None = None
        self._watchers: list[Watcher] = []
        if log_file is not None:
            self._log_to(log_file)
        if log_format == "json":
            self._people = False
            if not quiet:
                self._record(lambda record: terminal.say(json_format.dumps(record)))
        if self._people:
            self._watch(_display(verbose=verbose))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """The log is told how it ended; `main` tells stderr, which it also does where no command could begin."""
        with self._closing:
            if self._log is not None and isinstance(error, Exception):
                self._log.record({"event": "error"} | failure.document(failure.explained(error)))
            elif self._log is not None and isinstance(error, stopping.Stopped):
                self._log.record({"event": "stopped", "signal": error.number})

    def __call__(self, event: object) -> None:
        """Pass an event on, and stop at it if a signal said so."""
        for watcher in self._watchers:
            watcher(event)
        stopping.at_event(event)

    def say(self, lines: Sequence[str]) -> None:
        """A report for people, on stderr, if JSON does not say it already; nothing is redrawn after it."""
        for watcher in self._watchers:
            watcher.close()
        if self._people and not self.json:
            for line in lines:
                terminal.say(line)

    def result(
        self, found: Callable[[], Mapping[str, Any]], plain: bytes | Iterable[bytes] = b"", *, safe: bool = False
    ) -> None:
        """The result: one JSON document if that was asked for, or else these bytes, or pieces of them; `safe` if
        nothing in them could harm a terminal.
        """
        document = found() if self.json or self._records else {}
        self._tell({"event": "result", "command": self._command} | _scalars(document))
        if self.json:
            text = json_format.dumps(document, ensure_ascii=False, allow_nan=False)
            terminal.put(text.encode(errors="backslashreplace") + b"\n")
        elif plain:
            for piece in [plain] if isinstance(plain, bytes) else plain:
                terminal.put(piece, safe=safe)

    def _tell(self, record: dict[str, Any]) -> None:
        for write in self._records:
            write(record)

    def _log_to(self, path: str) -> None:
        from rnncli.files import LineLog

        self._log = self._record(self._closing.enter_context(LineLog(path)).write)

    def _record(self, write: Callable[[Mapping[str, Any]], None]) -> EventLines:
        lines = EventLines(write)
        self._watchers.append(lines)
        self._records.append(lines.record)
        return lines

    def _watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)
        self._closing.callback(watcher.close)


def _scalars(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document in short: what it says in single values."""
    return {key: value for key, value in document.items() if not isinstance(value, (dict, list))}


def _display(*, verbose: bool) -> Watcher:
    if not terminal.watched():
        return PlainLines(verbose=verbose)
    from rnncli.cli.progress import Display

    return Display(verbose=verbose)
