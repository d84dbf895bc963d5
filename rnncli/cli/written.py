"""Where a result goes: a file or a URL, whose suffix must say how if nothing else does, or standard output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from rnncli.cli.streams import Streams
from rnncli.errors import OutputExists, UsageError
from rnncli.options.types import ColumnOptions, WrittenOptions

if TYPE_CHECKING:
    from rnncli.data.sinks.sink import Sink


class ScoreFile(TypedDict, total=False):
    """The options of a command that say where scores go, and how they are written."""

    output: str
    out_format: str
    out_separator: str
    out_decimal: str
    digits: int
    if_exists: str
    lock_wait: float


class ScoredOptions(ColumnOptions, ScoreFile):
    """These, and how data are read."""


T = TypeVar("T")  # what `to_json` says and `write` makes a file of


def refuse_unwritten(path: str | None, flag: str, given: Mapping[str, object]) -> None:
    """UsageError where an option says how a file is written, and none is: it would be named by `flag`."""
    said = next((name for name, value in given.items() if path is None and value is not None), None)
    if said is not None:
        name = said.replace("_", "-")
        raise UsageError(f"--{name} says how a file is written, and none is", hint=f"name one: {flag} FILE")


def stays(sink: Sink, if_exists: str | None) -> bool:
    """Whether something is there already that is to stay. OutputExists where that is an error."""
    if if_exists not in ("error", "skip"):
        return False
    try:
        sink.refuse_existing()
    except OutputExists:
        if if_exists == "error":
            raise
        return True
    return False


def left_alone(streams: Streams, path: str, schema: str, *, within: str = "") -> int:
    """There is a file already, and it stays; nothing was done. The document says so, `within` one of its parts."""
    told = {"output": path, "written": False}
    streams.say([f"{path} is there already and stays as it is"])
    streams.result(lambda: {"schema": schema} | ({within: told} if within else told))
    return 0


def scored(
    streams: Streams,
    options: ScoreFile,
    schema: str,
    what: str,
    work: Callable[[], T],
    shown: Callable[[T], list[str]],
    beside: str | None = None,
    **by: Any,
) -> T | None:
    """What `work` finds, as lines on standard output or in the file of `-o`; messages say `what` is written there,
    `beside` is another file that is, and `by` is how it is split. None where there is a file already that stays.
    """
    from rnncli.workflows.options import style_of
    from rnncli.workflows.score_file import FORMATS

    existing = options.get("if_exists")
    place = Place(options.get("output"), options.get("out_format"), FORMATS, existing=existing)
    path = place.checked()
    marks = ("out_separator", "out_decimal", "digits")
    writing: WrittenOptions = {name: options[name] for name in marks if name in options}  # type: ignore[assignment, literal-required]
    refuse_unwritten(path, "-o", {"out_format": options.get("out_format")})
    refuse_unwritten(path or beside, "-o", writing)
    style = asdict(style_of(writing))
    with nullcontext() if path is None else place.sink.held(options.get("lock_wait") or 0.0):
        if path is not None and stays(place.sink, existing):
            left_alone(streams, place.name, schema)
            return None
        found: Any = (done := work())
        lines = shown(done)
        if path is not None:
            found.write(path, format=options.get("out_format"), **by, **style)
            streams.say([*lines, f"wrote {what} to {path}"])
    text = "" if path is not None else "".join(f"{line}\n" for line in lines)
    streams.result(partial(found.to_json, **by), text.encode(errors="backslashreplace"))
    return done


@dataclass(frozen=True)
class Place:
    """What `-o` names, and what was said of it: see `Into`."""

    given: str | None
    format: str | None
    formats: tuple[str, ...]
    table: str | None = None
    existing: str | None = None
    wait: float = 0.0

    def checked(self) -> str | None:
        """The file or URL; None for standard output.

        Before any work, UsageError if nothing says what to write, or there is nowhere to write it; StorageFailed if it
        cannot be written.
        """
        if self.given in (None, "-", "/dev/stdout"):
            if self.table is not None:
                raise UsageError("--table is for databases, and no --output is given", hint="-o postgresql://host/db")
            return None
        self.sink.check()
        return self.given

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.sink.name

    def is_there(self) -> bool:
        """Whether something is there that would be replaced."""
        self.sink.check()
        return stays(self.sink, "skip")

    @cached_property
    def sink(self) -> Sink:
        """The sink at the file's path or the URL."""
        from rnncli.data.sinks.sink import Into, sink_of

        assert self.given is not None
        return sink_of(self.given, Into(self.format, self.formats, self.table, self.existing, self.wait))


def file_of(path: str | None, formats: Iterable[str]) -> str | None:
    """The file, and no URL, that `-o` names for a picture or a page; None for standard output.

    Before any work, UsageError if its suffix is none of these, StorageFailed if it cannot be written.
    """
    if path in (None, "-", "/dev/stdout"):
        return None
    from rnncli.files import check_writable

    known = tuple(formats)
    if "://" in path:
        raise UsageError(f"pictures and pages are written on this machine alone, not to {path!r}", hint="copy it there")
    if Path(path).suffix.lower().removeprefix(".") not in known:
        raise UsageError(f"the suffix of {path!r} does not say what to write", hint=f"end it in .{', .'.join(known)}")
    check_writable(path)
    return path
