"""Texts to documents of tokens: files, one document each, or the cells of a column; a piece of a text at a time."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from rnncli.data import arrow
from rnncli.data import columns as roles
from rnncli.data.ids import check_ids, coded
from rnncli.data.labels.rows import load_columns
from rnncli.data.limits import Limits, Size, limits_of
from rnncli.data.source import TEXT, NothingThere, Source, storage_error
from rnncli.data.tables import Faults, Tables
from rnncli.data.tokens.split import BLANK, Codes, Splitter, splitter
from rnncli.data.tokens.vocabulary import Documents
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices, Columns

PIECE = 1 << 20  # bytes of a file, or letters of a piece that no blank ends
ENDS = {"\n": "\\n", "\r\n": "\\r\\n", "\r": "\\r"}
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32, not UTF-8", "say so: --encoding utf-32"),
    (codecs.BOM_UTF16_LE, "UTF-16, not UTF-8", "say so: --encoding utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16, not UTF-8", "say so: --encoding utf-16"),
)
_BINARY = "give a text; a model trained with --split byte reads any file"
_ROW = "row"  # what the ids of rows are called that have none


@dataclass
class _Growing:
    """Documents as they are read."""

    split: Splitter
    ids: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    parts: list[list[Codes]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    ends: list[frozenset[str]] = field(default_factory=list)
    empty: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, where: str, pieces: Iterator[tuple[str, int]], ends: set[str]) -> None:
        """Read a document to its end; one without any token is left out. `ends` are the kinds of its line ends, which
        are known then.
        """
        found, size = [], 0
        for piece, length in pieces:
            found.append(self.split.codes(piece))
            size += length
        if not any(map(len, found)):
            self.empty.append((name, where))
            return
        self.ids.append(name)
        self.where.append(where)
        self.parts.append(found)
        self.sizes.append(size)
        self.ends.append(frozenset(ends))

    def documents(self, notes: Sequence[str] = ()) -> Documents:
        """All of them. InputRefused if there is none."""
        if not self.ids:
            where = self.empty[0][1] if self.empty else ""
            raise NothingThere("there is no token: the text is empty", where=where, hint="give a text that has some")
        left = []
        if self.empty:
            some = ", ".join(repr(name) for name, _ in self.empty[:3]) + " ..." * (len(self.empty) > 3)
            many = f"{len(self.empty):,} empty documents are" if len(self.empty) > 1 else "an empty document is"
            left = [f"{many} left out ({some})"]
        sizes = np.array(self.sizes, np.int64)
        return Documents(tuple(self.ids), self.parts, self.split.types, self.where, sizes, self.ends, (*notes, *left))


def read_files(sources: Sequence[Source], split: str, choices: ColumnChoices) -> tuple[Columns, Documents]:
    """Files as documents, called after their stems or, where two have one, by their paths. InputRefused for what is no
    text, unless bytes are asked for.
    """
    reading = _Reading(limits_of(choices))
    growing = _Growing(splitter(split))
    stems = [source.stem or source.name for source in sources]
    names = stems if len(set(stems)) == len(stems) else [source.name for source in sources]
    for source, name in zip(sources, names, strict=True):
        ends = set[str]()
        pieces = (
            _bytes_of(reading.blocks(source))
            if split == "byte"
            else _pieces(source, reading, choices.encoding, growing.split, ends)
        )
        growing.add(name, source.name, pieces, ends)
    check_ids(np.arange(len(growing.ids)), growing.ids, (), _Places(growing.where), Faults())  # type: ignore[arg-type]
    every = frozenset[str]().union(*growing.ends)
    notes = [] if every <= {"\n"} else [f"line ends {shown_ends(every)} are read as \\n"]
    columns = Columns(None, None, TEXT, time_type="integer", by_file=len(sources) > 1, encoding=choices.encoding)
    return columns, growing.documents(notes)


def shown_ends(ends: frozenset[str]) -> str:
    """Kinds of line ends as messages write them."""
    return " and ".join(ENDS[end] for end in sorted(ends))


@dataclass(frozen=True)
class _Places:
    """The places of documents, for errors about their ids."""

    of: Sequence[str]

    def where(self, row: int) -> str:
        """The place of a document."""
        return self.of[row]


@dataclass
class _Reading:
    """Files that are read one after the other, up to what is allowed of all."""

    limits: Limits
    done: int = 0

    def blocks(self, source: Source) -> Iterator[bytes]:
        """A file in blocks. InputRefused where it, with those before it, is too large."""
        try:
            with source.open() as stream:
                while block := stream.read(PIECE):
                    self.done += len(block)
                    self.limits.check([Size(0, self.done, self.done)], [source.name], source.name)
                    yield bytes(block)
        except OSError as error:
            raise storage_error(source, error) from error


def _bytes_of(blocks: Iterator[bytes]) -> Iterator[tuple[str, int]]:
    """A file's bytes, whatever they are, as texts that `Bytes` splits into these again."""
    rest = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for block in blocks:
        yield rest.decode(block), len(block)
    yield rest.decode(b"", final=True), 0


def _pieces(
    source: Source, reading: _Reading, encoding: str | None, split: Splitter, ends: set[str]
) -> Iterator[tuple[str, int]]:
    r"""Pieces of a text, whose line ends are \n, with their bytes in UTF-8; kinds of line ends are added to `ends`."""
    decoder = io.IncrementalNewlineDecoder(_decoder(encoding), translate=True)
    line, kept = 1, ""
    for number, block in enumerate(reading.blocks(source)):
        if number == 0 and encoding is None:
            _refuse_marks(source, block)
        text = _decoded(source, decoder, block, line, encoding)
        line += text.count("\n")
        piece, kept = _cut(kept + text) if split.whole else (text, "")
        yield piece, len(piece.encode("utf-8", "surrogatepass"))
    text = kept + _decoded(source, decoder, b"", line, encoding)
    yield text, len(text.encode("utf-8", "surrogatepass"))
    found = decoder.newlines
    ends |= set() if found is None else {found} if isinstance(found, str) else set(found)


def _decoder(encoding: str | None) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding or "utf-8-sig")()
    except LookupError:
        hint = "for example utf-8, cp1252, latin-1 or utf-16"
        raise UsageError(f"there is no text encoding {encoding!r}", hint=hint) from None


def _refuse_marks(source: Source, block: bytes) -> None:
    for mark, what, hint in _MARKS:
        if block.startswith(mark):
            raise source.refused(f"this is {what}", hint=hint)


def _decoded(
    source: Source, decoder: io.IncrementalNewlineDecoder, block: bytes, line: int, encoding: str | None
) -> str:
    if b"\0" in block and encoding is None:
        raise source.refused("this is a binary file: it holds NUL bytes", hint=_BINARY)
    try:
        text: str = decoder.decode(block, final=not block)
    except UnicodeError as error:
        start, held = getattr(error, "start", 0), getattr(error, "object", b"")
        at = line + (held.count(b"\n", 0, start) if isinstance(held, bytes) else 0)
        if encoding is not None:
            hint = "say what it is: --encoding NAME"
            raise source.refused(f"the text is not in {encoding}", line=at, hint=hint) from None
        hint = "say what it is: --encoding cp1252 (Windows), latin-1 or another; --split byte reads any file"
        raise source.refused("the text is not UTF-8", line=at, hint=hint) from None
    return text


def _cut(text: str) -> tuple[str, str]:
    """A text up to its last blank, and the rest, which may be a token that goes on; a long one is cut all the same."""
    at = max(text.rfind(" "), text.rfind("\n"))
    if at < 0:
        found = BLANK.search(text[-PIECE:])
        at = len(text) - len(text[-PIECE:]) + found.start() if found else -1
    if at < 0:
        return (text, "") if len(text) > PIECE else ("", text)
    return text[: at + 1], text[at + 1 :]


def read_column(
    tables: Tables, name: str, split: str, choices: ColumnChoices, known: Columns | None
) -> tuple[Columns, Documents]:
    """The cells of a column as documents, each with its id, or else called by the number of its row."""
    kinds = tables.kinds()
    choices = roles.resolved(kinds, choices)
    columns = _columns(tables, name, choices) if known is None else roles.renamed(known, choices)
    for each in (name, *columns.ids):
        if each not in kinds:
            raise roles.missing_column(each, kinds, tables.name)
    faults = Faults()
    tables = load_columns(tables, dict.fromkeys((name, *columns.ids), "text"), choices, faults)
    tables.refuse_nested(name, "texts")
    names = _names(tables, columns, faults)
    growing, row = _Growing(splitter(split)), 0
    for column in tables.column(name):
        for text in _texts(column):
            size = len(text.encode("utf-8", "surrogatepass"))
            growing.add(names[row], tables.where(row), iter([(text, size)]), set())
            row += 1
    taken = (name, *columns.ids)
    notes = [] if known else roles.passed_over(kinds, taken, tables.looks())
    return columns, growing.documents(notes)


def _texts(column: pa.ChunkedArray) -> Iterator[str]:
    r"""The cells of a column, one after the other, with line ends that are \n; a missing one is empty."""
    for chunk in arrow.plain(column).chunks:
        for begin in range(0, len(chunk), 1024):
            for text in chunk.slice(begin, 1024).to_pylist():
                held = text.decode("utf-8", "replace") if isinstance(text, bytes) else "" if text is None else str(text)
                yield held.replace("\r\n", "\n").replace("\r", "\n") if "\r" in held else held


def _columns(tables: Tables, name: str, choices: ColumnChoices) -> Columns:
    ids = choices.id or tuple(one for one in tables.kinds() if one == roles.ID != name)
    return Columns(
        time=None,
        id=ids[0] if ids else None,
        more_ids=ids[1:],
        target=name,
        time_type="integer",
        id_name=_ROW,
        decimal=choices.decimal,
        thousands=choices.thousands,
        separator=choices.separator,
        encoding=choices.encoding,
        format=choices.format,
        sheet=choices.sheet,
    )


def _names(tables: Tables, columns: Columns, faults: Faults) -> list[str]:
    """The id of each row. InputRefused where two rows have one."""
    if not columns.ids:
        return [str(row) for row in range(1, tables.rows + 1)]
    codes, ids = coded(tables, columns.ids)
    check_ids(codes, ids, columns.ids, tables, faults)
    first = np.zeros(len(codes), np.bool_)
    first[np.unique(codes, return_index=True)[1]] = True
    if not first.all():
        row = int(np.argmin(first))
        raise InputRefused(
            f"id {ids[int(codes[row])]!r} comes twice, and each text is one document",
            where=tables.where(row),
            hint="name a column that tells them apart: --id NAME; if each row is one token: --token",
        )
    return [ids[code] for code in codes.tolist()]
