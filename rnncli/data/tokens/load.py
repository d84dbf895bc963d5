"""Texts and tables of tokens to a panel of documents: one channel of codes into a vocabulary; or one clear refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.load import Loaded, of_usable_series
from rnncli.data.objects import Data, is_table
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.rows import Rows
from rnncli.data.source import Source, is_tabular, is_text, sources, text_sources
from rnncli.data.tables import Tables, open_tables
from rnncli.data.tokens.channels import TIMES, spread, time_values, with_ends, with_roles
from rnncli.data.tokens.channels import described as described_beside
from rnncli.data.tokens.events import Events, read_events, to_events, token_codes
from rnncli.data.tokens.known import KnownTokens
from rnncli.data.tokens.texts import read_column, read_files
from rnncli.data.tokens.vocabulary import Documents, new_vocabulary, unknown_notes
from rnncli.errors import UsageError
from rnncli.spec import ColumnChoices, Columns, TokenChoices

USUAL = "char"  # how texts are split where nothing is said
Read = tuple[Columns, Documents]


def load_tokens(
    given: Data,
    choices: ColumnChoices | None = None,
    tokens: TokenChoices | None = None,
    known: KnownTokens | None = None,
) -> Loaded:
    """Read every source in `given` as documents of tokens: files of text, texts in a column, or tokens one a row.

    The panel's one channel is of kind "token": code 0 is UNKNOWN, and where training had several documents each ends
    with END, code 1. With `known`, columns, vocabulary and `tokens` are those of a model. Raises InputRefused or
    SeriesRefused with the place of what is wrong, UsageError for choices that make no sense.
    """
    choices, tokens = choices or ColumnChoices(), settled(known.choices if known else tokens)
    refuse_senseless(choices, tokens)
    if tokens.token is None:
        columns, documents = read_texts(given, choices, tokens, known)
        return to_tokens(columns, documents, tokens, known)
    rows, texts, zone = read_events(open_tokens(given, choices, known), choices, tokens, known, token_codes)

    timed = choices.time is not None if known is None else known.timed

    def made(some: Rows) -> Loaded:
        events = to_events(some, texts)
        loaded = to_tokens(some.columns, events.documents, tokens, known, times=events.times, zone=zone)
        beside = _beside(some, events) if known is None else known.beside
        return beside_tokens(loaded, events, beside, timed=timed)

    return of_usable_series(rows, choices, made)


def settled(tokens: TokenChoices | None) -> TokenChoices:
    """The choices, with the way in which texts are split."""
    tokens = tokens or TokenChoices()
    return replace(tokens, split=USUAL) if tokens.token is None and tokens.split is None else tokens


def read_texts(given: Data, choices: ColumnChoices, tokens: TokenChoices, known: KnownTokens | None) -> Read:
    """The texts of files, or of a column of tables, split into tokens."""
    assert tokens.split is not None
    encoding = choices.encoding or (known.columns.encoding if known else None)
    if of_files(given, tokens, known):
        found = text_sources(given, choices)
        if tokens.split != "byte":
            _refuse_tables(found, known)
        return read_files(found, tokens.split, replace(choices, encoding=encoding))
    tables = open_tokens(given, choices, known)
    assert tokens.text is not None
    return read_column(tables, tokens.text, tokens.split, choices, None if known is None else known.columns)


def _refuse_tables(found: Sequence[Source], known: KnownTokens | None) -> None:
    """InputRefused for a file that is called like a table, of which a text would be commas and quotes."""
    for source in found:
        if source.called is not None and is_tabular(source.called):
            hint = "say which column has the texts: --text COLUMN; or the tokens, one a row: --token COLUMN"
            if known is not None:
                hint = "give texts, or train with --text COLUMN on tables; from stdin, as -, it is read as a text"
            raise source.refused("this is a table by its name, and texts are asked for", hint=hint)


def read_documents(
    given: Data, choices: ColumnChoices, tokens: TokenChoices, known: KnownTokens | None
) -> tuple[Columns, Documents, Rows | None]:
    """The documents of whatever there is, before any vocabulary, and the rows of a table of tokens. InputRefused as in
    `load_tokens`.
    """
    if tokens.token is None:
        return *read_texts(given, choices, tokens, known), None
    rows, texts, _ = read_events(open_tokens(given, choices, known), choices, tokens, known, token_codes)
    events = to_events(rows, texts)
    beside = _beside(rows, events) if known is None else known.beside
    return rows.columns, events.documents, replace(rows, channels=(rows.channels[0], *beside))


def of_files(given: Data, tokens: TokenChoices, known: KnownTokens | None) -> bool:
    """Whether documents are files of text, and no rows of tables."""
    return tokens.token is None and (tokens.text is None or (known is not None and holds_text(given)))


def open_tokens(given: Data, choices: ColumnChoices, known: KnownTokens | None) -> Tables:
    """Every table opened by its reader."""
    usual = None if known is None else known.columns.format
    told = choices if known is None else choices.as_told(known.columns)
    return open_tables(sources(given, choices, usual), told)


def holds_text(given: Any) -> bool:
    """Whether data are texts by their names: files, or folders of files, that are called like texts, and no tables."""
    items = list(given) if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) else [given]
    return bool(items) and all(not is_table(item) and item != "-" and _is_text(Path(item)) for item in items)


def _is_text(path: Path) -> bool:
    if path.is_dir():
        return any(is_text(file) for file in path.iterdir() if not file.name.startswith("."))
    return is_text(path)


def to_tokens(
    columns: Columns,
    documents: Documents,
    tokens: TokenChoices,
    known: KnownTokens | None,
    *,
    times: Ints | None = None,
    zone: str | None = None,
) -> Loaded:
    """Documents as a panel of codes: into the vocabulary of a model, or into their own."""
    if known is None:
        vocabulary, notes = new_vocabulary(documents, tokens)
        channel = Channel(columns.target, "token", "target", vocabulary)
    else:
        channel, notes = known.channel, unknown_notes(documents, known.vocabulary)
    values = documents.coded(channel.vocabulary)
    ends = len(values) > documents.lengths.sum()
    zeros = np.zeros(len(documents.ids), np.int64)
    panel = Panel(
        documents.ids,
        offsets_of(documents.lengths + ends),
        cast("Floats", values[:, None]),  # codes, in the smallest type: see Panel
        zeros,
        zeros,
        Calendar(Frequency("step"), (1,), zone),
        (channel,),
    )
    if times is not None and ends:  # a document ends when its last token comes
        last = np.cumsum(documents.lengths) - 1
        times = np.insert(times, last + 1, times[last])
    return Loaded(
        panel,
        columns,
        (*documents.notes, *notes),
        times=times,
        tokens=tokens,
        text_bytes=documents.text_bytes,
    )


def _beside(rows: Rows, events: Events) -> tuple[Channel, ...]:
    """The channels beside events, with those that are constant in each document as static ones."""
    return with_roles(events.beside, rows.channels[1:], offsets_of(events.documents.lengths))


def beside_tokens(loaded: Loaded, events: Events, channels: Sequence[Channel], *, timed: bool) -> Loaded:
    """Documents with what stands beside their tokens in further channels, and with their times if they are `timed`."""
    panel, offsets = loaded.panel, offsets_of(events.documents.lengths)
    if not channels and not timed:
        return loaded
    values, notes = spread(events.beside, channels, offsets, panel.ids)
    if timed:
        assert events.times is not None
        values = np.concatenate([values, time_values(events.times, offsets)], axis=1)
    if len(panel.values) > len(values):
        values = with_ends(values, offsets, len(TIMES) * timed)
    values = np.concatenate([panel.values, values], axis=1)
    every = (*panel.channels, *channels, *(TIMES if timed else ()))
    return replace(loaded, panel=replace(panel, values=values, channels=every), notes=(*loaded.notes, *notes))


def refuse_senseless(choices: ColumnChoices, tokens: TokenChoices) -> None:
    """UsageError where what is said of forecasts, or of times, is said of tokens that have none."""
    for flag, given in (
        ("--target", choices.target),
        ("--past", choices.past),
        ("--future", choices.future),
        ("--static", choices.static),
        ("--wide", choices.wide),
    ):
        if given:
            hint = "say it with --token or --text" if flag == "--target" else "leave it out"
            raise UsageError(f"{flag} is for forecasts, and tokens are asked for", hint=hint)
    if tokens.token is None:
        for flag, moment in (("--time", choices.time), ("--as-of", choices.as_of)):
            if moment is not None:
                raise UsageError(f"texts have no time, and {flag} is given", hint=f"leave {flag} out")


def described(columns: Columns, tokens: TokenChoices, beside: Sequence[Channel] = ()) -> str:
    """What the columns of documents were taken for, in one line; `beside` stand beside their tokens."""
    if tokens.token is None:
        kind = {"char": "characters", "word": "words and marks", "space": "what is between blanks", "byte": "bytes"}
        each = f"a row of {tokens.text!r}" if tokens.text is not None else "a file"
        return f"{kind[tokens.split or USUAL]} of texts, one document {each}"
    time = f"time {' and '.join(map(repr, columns.times))}, " if columns.times else ""
    ids = f"id {' and '.join(map(repr, columns.ids))}" if columns.ids else "one document"
    what = "sets of tokens" if tokens.multi_hot else "tokens"
    found = f"{time}{'one document a file' if columns.by_file else ids}, {what} {tokens.token!r}"
    return "; ".join(filter(None, [found, described_beside(beside)]))
