"""Tables of tokens, one a row: rows of one id are a document, in the order of time or of the table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data import columns as roles
from rnncli.data.arrow import is_list
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.instants import in_utc, seen_as_of, zone_of
from rnncli.data.known import Known
from rnncli.data.labels.channels import Passed, channel_kinds
from rnncli.data.labels.rows import bare_rows, load_columns
from rnncli.data.labels.told_apart import Table, called_id, candidates, stand_together, told_apart
from rnncli.data.noted import Notes
from rnncli.data.ordered import refuse_wild, sorted_rows
from rnncli.data.readers.table import Kind
from rnncli.data.rows import Rows
from rnncli.data.tables import Faults, Tables
from rnncli.data.times import Wall
from rnncli.data.tokens.channels import known_beside, new_beside, read_as
from rnncli.data.tokens.known import KnownTokens
from rnncli.data.tokens.split import smallest
from rnncli.data.tokens.vocabulary import Documents
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, Columns, LabelChoices, TokenChoices

Coded = TypeVar("Coded")


def token_codes(read: Tables, name: str) -> tuple[Ints, list[str]]:
    """A column of tokens as codes into texts, -1 where there is none. InputRefused where it holds something else."""
    _refuse_lists(read, name)
    read.refuse_nested(name, "tokens")
    codes, texts = read.codes(name, "tokens")
    none = np.array([*(not text for text in texts), True])[codes]
    return np.where(none, -1, codes), texts


def _refuse_lists(read: Tables, name: str) -> None:
    if any(is_list(column) for column in read.column(name)):
        hint = "learn sets of tokens: --multi-hot"
        raise InputRefused(f"column {name!r} holds lists, which are no tokens", where=read.name, hint=hint)


def read_events(
    tables: Tables,
    choices: ColumnChoices,
    tokens: TokenChoices,
    known: KnownTokens | None,
    coded: Callable[[Tables, str], tuple[Ints, Coded]],
) -> tuple[Rows, Coded, str | None]:
    """The rows of tables with codes of what is `coded` of the column of tokens (channel 0, NaN where there is nothing)
    into what is returned beside them, and the zone of their times, which are in UTC. Further channels are what stands
    beside events, where their times, or channels, were named.
    """
    kinds, faults = tables.kinds(), Faults()
    choices = roles.resolved(kinds, choices)
    assert tokens.token is not None
    notes: list[str] = []
    passed = Passed()
    if known is None:
        columns, notes = new_columns(tables, choices, tokens)
        wanted = _new_wanted(tables, choices, tokens, columns, passed)
    else:
        columns = roles.renamed(known.columns, choices)
        wanted = {channel.name: read_as(channel) for channel in known.beside}
    for name in (*columns.times, *columns.ids, tokens.token, *wanted):
        if name not in kinds:
            hint = "" if known is None else "the model was trained with it"
            raise roles.missing_column(name, kinds, tables.name, hint)
    texts_of: dict[str, Kind] = dict.fromkeys((*columns.times, *columns.ids, tokens.token), "text")
    read = load_columns(tables, wanted | texts_of, choices, faults)
    told = known is None or choices.time_format is not None
    rows = bare_rows(read, kinds, columns, Wall(choices.zone or (known.zone if known else None), told=told), faults)
    codes, found = coded(read, tokens.token)
    if known is None:
        values, beside = new_beside(read, wanted, rows.codes, passed, faults, named=bool(tokens.channels))
        notes += passed.notes()
    else:
        beside = list(known.beside)
        values, notes = known_beside(read, beside, rows.codes, faults)
    channels = (Channel(tokens.token, "token", "target"), *beside)
    together = np.stack([np.where(codes < 0, np.nan, codes), *values], axis=1)
    rows = replace(rows, values=together, channels=channels, notes=tuple(notes))
    rows, zone = on_time(rows, choices, known)
    return rows, found, zone


class KnownRows(Protocol):
    """What a model knows of rows whose times are beside them, on no grid."""

    @property
    def columns(self) -> Columns:
        """What their columns are."""

    @property
    def channel(self) -> Channel:
        """What they hold."""

    @property
    def zone(self) -> str | None:
        """The zone of times that do not say theirs."""


def on_time(rows: Rows, choices: ColumnChoices, known: KnownRows | None) -> tuple[Rows, str | None]:
    """Rows with times in UTC, those that are seen, and the zone of the times. UsageError where they need one."""
    zone = _zone(rows, choices, known)
    rows = in_utc(rows, zone, choices)
    if choices.as_of is not None:
        if not rows.columns.times:
            raise UsageError("--as-of needs a time, and rows have none", hint="say which column it is: --time NAME")
        rows = seen_as_of(rows, choices.as_of, zone)
    return rows, zone


def told_of_events(choices: ColumnChoices, tokens: TokenChoices) -> bool:
    """Whether events are more than their tokens: it was said when they come, or what stands beside them."""
    return not tokens.multi_hot and (choices.time is not None or bool(tokens.channels))


def _new_wanted(
    tables: Tables, choices: ColumnChoices, tokens: TokenChoices, columns: Columns, passed: Passed
) -> dict[str, Kind]:
    """How each column beside events is to be read; none where events are their tokens alone."""
    if not told_of_events(choices, tokens):
        return {}
    kinds, taken = tables.kinds(), {*columns.times, *columns.ids, tokens.token}
    rest = [name for name in kinds if name not in taken]
    return channel_kinds(kinds, tables.looks(), tokens.channels or rest, passed, named=bool(tokens.channels))


def new_columns(
    tables: Tables, choices: ColumnChoices, tokens: TokenChoices, unread: Collection[str] = ()
) -> tuple[Columns, list[str]]:
    """What tells documents apart and says when, found as for labels that each row has; `unread` columns, of which the
    one of tokens may be one, are neither.
    """
    kinds, looks, token = tables.kinds(), tables.looks(), tokens.token
    assert token is not None
    kinds = {name: kind for name, kind in kinds.items() if name not in unread}
    moments = [name for name in (choices.time, choices.clock) if name is not None]
    named = [token, *choices.id, *moments, *tokens.channels]
    for name in named:
        if name not in kinds and name not in unread:
            raise roles.missing_column(name, kinds, tables.name)
    if len(set(named)) < len(named):
        raise UsageError(f"a column was given two roles: {', '.join(named)}", hint="name each column once")
    free = tuple(name for name in kinds if name not in named)
    guesses = candidates(kinds, free)
    wanted = [name for name in (*named, *guesses) if name not in unread]
    heads = load_columns(tables, dict.fromkeys(wanted, "text"), choices, Faults())
    usable = tuple(name for name in guesses if kinds[name] != "text" or heads.is_text(name))
    table = Table(heads, kinds, looks, choices, LabelChoices(label=token, per_step=True), usable)
    interleaved = _interleaved(table)
    columns, notes = told_apart(replace(table, choices=replace(choices, id=interleaved or choices.id)))
    taken = {token, *columns.ids, *columns.times}
    left = [] if told_of_events(choices, tokens) else roles.passed_over(kinds, taken, looks)
    return columns, [*notes, *left]


def _interleaved(table: Table) -> tuple[str, ...]:
    """The column called like an id whose rows do not stand together, as in a log in the order of time, if no other
    tells documents apart. InputRefused if several do.
    """
    if table.choices.id or roles.ID in table.free or len(table.tables.sources) > 1:
        return ()
    named = [name for name in table.free if called_id(name) and table.kinds[name] in ("text", "whole")]
    codes = {name: table.codes([name]) for name in named}
    if any(map(stand_together, codes.values())):
        return ()
    found = [name for name in named if codes[name].min() >= 0 and 0 < codes[name].max() < len(codes[name]) - 1]
    if not found:
        return ()
    roles.refuse_guessing(table.choices, "--id", table.name)
    if len(found) > 1:
        raise roles.ambiguous_column("id", found, "--id", table.name)
    return (found[0],)


def _zone(rows: Rows, choices: ColumnChoices, known: KnownRows | None) -> str | None:
    """The zone of the times; at prediction the model's, which must be of the same kind."""
    if known is None or not rows.columns.times:
        return zone_of(rows, choices, None)
    unit = "step" if known.columns.time_type == "integer" else "microsecond"
    return zone_of(rows, choices, Known(known.columns, Calendar(Frequency(unit), (1,), known.zone), (known.channel,)))


@dataclass(frozen=True)
class Events:
    """Documents, the time of every token [rows], None without times, and what stands beside each [rows, channels]."""

    documents: Documents
    times: Ints | None
    beside: Floats


def to_documents(rows: Rows, texts: list[str]) -> tuple[Documents, Ints | None]:
    """Rows as documents, in order, and the time of every token, if there are times. SeriesRefused where a row has no
    token.
    """
    found = to_events(rows, texts)
    return found.documents, found.times


def to_events(rows: Rows, texts: list[str]) -> Events:
    """Rows as documents, in order, with what else is known of every token. SeriesRefused where a row has no token, or
    a number that cannot be one.
    """
    _refuse_missing(rows)
    if len(rows.channels) > 1:
        refuse_wild(rows)
    notes = Notes(rows.notes)
    order, offsets = sorted_rows(rows, notes)
    codes = rows.values[order, 0].astype(smallest(len(texts)))
    first = order[offsets[:-1]]
    ids = tuple(rows.ids[code] for code in rows.codes[first].tolist())
    bounds = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    parts = [(codes[begin:end],) for begin, end in bounds]
    where = [rows.where(row) for row in first.tolist()]
    times = rows.times[order] if rows.columns.times else None
    return Events(Documents(ids, parts, texts, where, notes=notes.lines()), times, rows.values[order, 1:])


def _refuse_missing(rows: Rows) -> None:
    none = np.isnan(rows.values[:, 0])
    if none.any():
        row = int(np.argmax(none))
        name = rows.ids[int(rows.codes[row])]
        raise SeriesRefused(
            f"there is no token (column {rows.channels[0].name!r})",
            name,
            where=rows.where(row),
            hint="every row has its token: complete it, or take the row out",
        )
