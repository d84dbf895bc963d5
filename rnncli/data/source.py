"""Where tables come from: files, folders, globs, standard input, objects that speak Arrow, and what URLs lead to."""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NoReturn

import pyarrow as pa

from rnncli.data.limits import Limits, Size, limits_of
from rnncli.data.objects import NAME, Data, is_table, refusal, table_of
from rnncli.errors import InputRefused, RnncliError, StorageFailed, UsageError
from rnncli.files import without_waiting
from rnncli.near import near_file
from rnncli.registry import CONTENTS, FOLDERS, READERS, SCHEMES, find, scheme_of
from rnncli.spec import ColumnChoices

SUFFIXES = {f".{name}": name for name in READERS}
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
TEXT = "text"  # the format of files that are no tables
TEXTS = (".txt", ".text", ".md")  # suffixes
_SHOWN = 60  # letters of a path in a message
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_MOST = {"": 1, "gzip": 1032}  # bytes that one byte can become; zstd knows no bound


@dataclass(frozen=True)
class Source:
    """One table to be read: a path, bytes that came through a pipe, an Arrow table, a stream that `stream` opens, or
    whatever its own `reader` (as those of READERS are) reads.

    `name` is what messages call it, and holds no secret; `stem` names its series where each file is one; `encoding` is
    that of its text, where it is not UTF-8; `at` is the path of a file on another machine.
    """

    name: str
    format: str
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    table: Any = field(default=None, repr=False)
    stem: str | None = None
    encoding: str | None = None
    stream: Callable[[], BinaryIO | pa.NativeFile] | None = field(default=None, repr=False)
    reader: Callable[[Source, ColumnChoices], Any] | None = field(default=None, repr=False)
    at: PurePath | None = None

    @property
    def called(self) -> PurePath | None:
        """The path of its file, whose suffix may say what it is; None where there is none."""
        return self.path or self.at

    def open(self) -> BinaryIO | pa.NativeFile:
        """A fresh stream of the bytes, uncompressed and in UTF-8. InputRefused or StorageFailed if there is none."""
        stream, kind = self._raw()
        stream = pa.CompressedInputStream(stream, kind) if kind else stream
        if self.encoding is None:
            return stream
        native = stream if isinstance(stream, pa.NativeFile) else pa.PythonFile(stream, "r")
        return pa.transcoding_input_stream(native, self.encoding, "utf-8")

    def largest(self) -> tuple[int | None, bool]:
        """The most bytes that it can have uncompressed (None if not known), and whether that is its very size."""
        stream, kind = self._raw()
        with stream:
            most = stream.seek(0, os.SEEK_END) * _MOST[kind] if kind in _MOST else None
        if self.encoding is not None:  # a byte of it can become three
            return (None if most is None else 3 * most), False
        return most, not kind

    def _raw(self) -> tuple[BinaryIO | pa.NativeFile, str]:
        """A stream of the bytes as they are, and how they are compressed, if they are."""
        stream = self._bytes()
        try:
            magic = stream.read(4)
            stream.seek(0)
        except OSError as error:
            stream.close()
            raise storage_error(self, error) from error
        return stream, next((kind for start, kind in _MAGIC.items() if magic.startswith(start)), "")

    def _bytes(self) -> BinaryIO | pa.NativeFile:
        if self.data is not None:
            return pa.BufferReader(self.data)
        return file_at(self.path) if self.stream is None else self.stream()

    def refused(self, message: str, *, line: int = 0, column: int = 0, hint: str = "") -> InputRefused:
        """The error about this table, with its place."""
        place = "".join(f":{number}" for number in (line, column) if number)
        return InputRefused(message, where=self.name + place, hint=hint)


def sources(given: Data, choices: ColumnChoices | None = None, usual: str | None = None) -> list[Source]:
    """Every table in `given`: one source or a sequence of them, in order; `usual` is the format of what neither the
    choices nor a suffix say.

    InputRefused where a file is missing or nothing matches, UsageError where the format cannot be known.
    """
    choices = choices or ColumnChoices()
    if choices.format is not None and choices.format not in READERS:
        raise UsageError(f"there is no format {choices.format!r}", hint=f"choose from: {', '.join(READERS)}")
    asked = Asked(choices, choices.format, usual if usual in READERS else None)
    found = [source for item in _items(given) for source in _of_one(item, asked)]
    if not found:
        raise InputRefused("no data were given", hint="name files, folders or globs, or - for standard input")
    return found


def _items(given: Data) -> list[Any]:
    return list(given) if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) else [given]


def text_sources(given: Data, choices: ColumnChoices | None = None) -> list[Source]:
    """Every file in `given` as a text, whatever its suffix: of a folder those that are called like texts, or, if none
    is, all of them. InputRefused where a file is missing or nothing matches, UsageError for a table.
    """
    asked = Asked(choices or ColumnChoices(), TEXT)
    found = []
    for item in _items(given):
        some = list(_of_one(item, asked))
        for source in some:
            if source.table is not None or source.reader is not None:
                hint = "name its column of texts, or of tokens: --text, or --token"
                raise UsageError("a table is no text", where=source.name, hint=hint)
        named = [source for source in some if source.called is None or is_text(source.called)]
        found += named or some
    if not found:
        raise InputRefused("no data were given", hint="name files, folders or globs, or - for standard input")
    return found


def is_tabular(path: PurePath) -> bool:
    """Whether a file is called like a table."""
    return _known_format(path) is not None


def is_text(path: PurePath) -> bool:
    """Whether a file is called like a text."""
    bare = path.with_suffix("") if path.suffix in COMPRESSED else path
    return bare.suffix.lower() in TEXTS


@dataclass(frozen=True)
class Asked:
    """What was said of the data, the format among it (TEXT for no table), and the format that a model's training was
    told.
    """

    choices: ColumnChoices
    choice: str | None = None
    usual: str | None = None

    @property
    def limits(self) -> Limits:
        """How much may be read."""
        return limits_of(self.choices)

    def format_of(self, path: PurePath, source: Source | None = None) -> str:
        """The format of a file, of another machine where there is a `source`: as was said now, as its suffix says, as
        training was told, or by what it begins with. UsageError if none of these is known.
        """
        return (
            self.choice
            or _known_format(path)
            or self.usual
            or _by_content(source or Source(str(path), "", Path(path)))
            or no_format(path)
        )

    def known(self, name: str) -> bool:
        """Whether a file of this name in a folder is one of its data."""
        return is_data(name, self.choice or self.usual)


def _of_one(item: Any, asked: Asked) -> Iterable[Source]:
    if isinstance(item, Source):  # of which several are to read
        return [item]
    if is_table(item):
        return [Source(NAME, "arrow", table=table_of(item))]
    if not isinstance(item, (str, os.PathLike)):
        raise refusal(item)
    text = os.fspath(item)
    scheme = scheme_of(text)
    if text == "-":
        return [_standard_input(asked)]
    if scheme is not None:
        found: Iterable[Source] = find(SCHEMES, scheme, "kind of source")(text, asked)
        return found
    return of_path(text, asked)


def of_path(text: str, asked: Asked) -> Iterable[Source]:
    """The tables of a file, a folder or a glob."""
    _refuse_unusable(text)
    path = Path(text)
    mode = mode_of(path)
    if stat.S_ISDIR(mode):
        return _folder(path, asked)
    if not mode and glob.has_magic(text):
        return _matches(text, asked)
    return [Source(text, asked.format_of(path), path, stem=stem_of(path))]


def _by_content(source: Source) -> str | None:
    """The format of what begins as a file or a stream does, uncompressed."""
    try:
        with source.open() as stream:
            head = stream.read(max(map(len, CONTENTS)))
    except (OSError, RnncliError):  # its reader says what is wrong
        return None
    return next((name for start, name in CONTENTS.items() if head.startswith(start)), None)


def refuse_empty(item: Any) -> None:
    """UsageError for an empty path, which would stand for the working folder."""
    if isinstance(item, str) and not item:
        raise UsageError("a path of data is empty", hint="is a variable unset? name files, folders or globs, or -")


def _refuse_unusable(text: str) -> None:
    """UsageError or InputRefused for a path that no file can have."""
    refuse_empty(text)
    try:
        os.lstat(text)
    except ValueError:
        raise InputRefused("a path holds no NUL character", where=text[:_SHOWN], hint="check the path") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputRefused("the path is too long", where=text[:_SHOWN] + " ...", hint="check the path") from None


class NothingThere(InputRefused):
    """What was given is empty."""


def _standard_input(asked: Asked) -> Source:
    if sys.stdin is None:
        raise InputRefused("standard input is closed", where="-", hint="pipe a table into this command")
    data = sys.stdin.buffer.read(asked.limits.most_bytes + 1)
    asked.limits.check([Size(0, len(data), len(data))], ["-"], "-")
    if not data:
        raise NothingThere("standard input is empty", where="-", hint="pipe data into this command")
    source = Source("standard input", asked.choice or "csv", data=data)
    usual = None if asked.usual in CONTENTS.values() else asked.usual  # what it begins with would tell
    return replace(source, format=asked.choice or _by_content(source) or usual or "csv")


def mode_of(path: Path) -> int:
    """What is at a path, 0 if nothing is. InputRefused or StorageFailed where that cannot be known."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise unreadable(path, error) from error


def _folder(path: Path, asked: Asked) -> Iterable[Source]:
    try:
        entries = sorted(path.iterdir())
        files = [file for file in entries if asked.known(file.name) and file.is_file()]
    except OSError as error:
        raise unreadable(path, error) from error
    kind = kind_of_folder(entry.name for entry in entries if entry.is_dir())
    if kind is not None:
        found: Iterable[Source] = find(FOLDERS, kind, "kind of folder")(path, asked)
        return found
    if not files:
        raise InputRefused("this folder has no data files", where=str(path), hint=f"known are {_known()}")
    return [Source(str(file), asked.format_of(file), file, stem=stem_of(file)) for file in files]


def kind_of_folder(names: Iterable[str]) -> str | None:
    """The key in FOLDERS of a folder with these folders in it; None for one that is a mere heap of files."""
    found = list(names)
    return next((kind for kind in FOLDERS if any(fnmatchcase(name, kind) for name in found)), None)


def _matches(pattern: str, asked: Asked) -> list[Source]:
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
    if not found:
        raise InputRefused("no file matches", where=pattern, hint="check the pattern and the current folder")
    return [source for path in found for source in _of_one(path, asked)]


def is_data(name: str, choice: str | None) -> bool:
    """Whether a file of this name in a folder is one of its data; where a format was chosen, every file is."""
    return not name.startswith(".") and bool(choice or _known_format(Path(name)))


def stem_of(path: PurePath) -> str:
    """The file's name without its suffixes: `sales.csv.gz` is `sales`."""
    bare = path.with_suffix("") if path.suffix in COMPRESSED else path
    return bare.stem


def no_format(path: PurePath) -> NoReturn:
    """UsageError: nothing says what format a file is."""
    raise UsageError(
        f"the suffix of {path.name!r} does not say what format it is",
        where=str(path),
        hint=f"known are {_known()}; or say --format NAME",
    )


def _known_format(path: PurePath) -> str | None:
    bare = path.with_suffix("") if path.suffix in COMPRESSED else path
    return SUFFIXES.get(bare.suffix.lower())


def _known() -> str:
    return ", ".join(SUFFIXES) + " (texts also .gz, .zst)"


def file_at(path: Path | None) -> BinaryIO:
    """The bytes of a regular file. InputRefused or StorageFailed if there is none."""
    assert path is not None
    try:
        stream = open(path, "rb", opener=without_waiting)  # noqa: SIM115  # the caller closes it
    except FileNotFoundError:
        raise InputRefused("there is no such file", where=str(path), hint=_near(path)) from None
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise InputRefused("this is not a regular file", where=str(path), hint="pipe it in, and name it -")
    return stream


def unreadable(path: Path, error: OSError) -> InputRefused | StorageFailed:
    """The error about a file or folder that the system does not let us see."""
    where, says = os.fsdecode(error.filename or path), (error.strerror or str(error)).lower()
    if error.errno == errno.EIO:
        return StorageFailed(f"cannot read: {says}", where=where)
    hint = "let the user who runs this read it, and its folder" if error.errno == errno.EACCES else "check the path"
    return InputRefused(f"cannot open: {says}", where=where, hint=hint)


def _near(path: Path) -> str:
    try:
        names = [file.name for file in path.parent.iterdir()]
    except OSError:
        return f"there is no folder {str(path.parent)!r}"
    close = near_file(path.name, names)
    return f"did you mean {path.with_name(close)}?" if close else "check the name and the current folder"


def storage_error(source: Source, error: OSError) -> InputRefused | StorageFailed:
    """What a failed read means: bad compression is the data's fault, an I/O error the storage's."""
    if error.errno == errno.EIO:
        return StorageFailed(f"cannot read: {error.strerror}", where=source.name)
    return source.refused(f"cannot be read: {str(error).splitlines()[0]}", hint="the file may be cut off or damaged")
