"""From sources to flat rows: a series code, a time and the channels of each row, with the way back to its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data import columns as roles
from rnncli.data.channel import Channel, forecast_channels, vocabularies
from rnncli.data.clocks import times_of
from rnncli.data.ids import check_ids, coded, repeats
from rnncli.data.limits import Limits, limits_of
from rnncli.data.readers.table import NUMERIC, Kind
from rnncli.data.source import Source
from rnncli.data.tables import Faults, Tables, open_tables
from rnncli.data.targets import refuse_targets_named, stacked, with_targets
from rnncli.data.times import Wall
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices, Columns

CATEGORIES = 64  # of a categorical covariate; the rarer ones are OTHER
OTHER = -1.0  # the code of a category that is none of those known
_NAMED = 3  # new categories in a note


@dataclass(frozen=True)
class Rows:
    """`codes` [n] into `ids`, `times` [n] as they were written (UTC if `zone`), `values` [n, channels]; row i came from
    the place `where(i)`. Without a zone, `fixed` [n] are rows whose times are in UTC all the same.
    """

    codes: Ints
    ids: list[str]
    times: Ints
    values: Floats
    channels: tuple[Channel, ...]
    columns: Columns
    zone: str | None
    tables: Tables
    notes: tuple[str, ...]
    places: Ints | None = None
    several_offsets: bool = False
    fixed: Bools | None = None

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the columns of `values`."""
        return tuple(channel.name for channel in self.channels)

    def of(self, name: str) -> Floats:
        """The values of a channel, a view: [n]. ValueError if there is no such channel."""
        return self.values[:, self.channel_names.index(name)]

    def where(self, row: int) -> str:
        """The place of a row, file:line, or the file alone where rows have no lines."""
        return self.tables.where(self._place(row) // self.per_row)

    @property
    def per_row(self) -> int:
        """The number of rows that came of each row of the tables: one a series of a wide table, one a target."""
        return len(self.ids) if self.columns.wide else len(self.columns.target_columns)

    def column(self, row: int, channel: int) -> str:
        """The column in which a value stands."""
        if channel or not (self.columns.wide or self.columns.targets):
            return self.channel_names[channel]
        if self.columns.wide:
            return self.ids[int(self.codes[row])]
        return self.columns.targets[self._place(row) % self.per_row]

    @property
    def own_values(self) -> Bools:
        """Which values [n, channels] stand for one of the tables: covariates that several targets share count once."""
        own = np.ones(self.values.shape, np.bool_)
        if self.columns.targets:
            own[:, 1:] = (self.stacked_places % self.per_row == 0)[:, None]
        return own

    @property
    def stacked_places(self) -> Ints:
        """The place of each row among all that came of the tables: the row of the tables times `per_row`, and more."""
        return np.arange(len(self.codes)) if self.places is None else self.places

    def in_tables(self, chosen: Bools | Ints) -> int:
        """The number of rows of the tables that the chosen rows came of."""
        return int(np.unique(self.stacked_places[chosen] // self.per_row).size)

    def _place(self, row: int) -> int:
        return row if self.places is None else int(self.places[row])

    def kept(self, rows: Bools) -> Rows:
        """Some of the rows, which remember their places."""
        places = np.flatnonzero(rows) if self.places is None else self.places[rows]
        fixed = None if self.fixed is None else self.fixed[rows]
        some = replace(self, codes=self.codes[rows], times=self.times[rows], values=self.values[rows])
        return replace(some, places=places, fixed=fixed)


def read_rows(
    sources: Sequence[Source],
    choices: ColumnChoices,
    known: Columns | None,
    trained: Sequence[Channel] | None,
    faults: Faults | None = None,
    zone: str | None = None,
) -> Rows:
    """The rows of all sources, in their order; `known`, `trained` and `zone` are the columns, channels and zone of a
    model, if there is one.

    Without `faults` that are tolerant, the first row that cannot be used is refused.
    """
    told = choices if known is None else choices.as_told(known)
    return rows_of(open_tables(sources, told), choices, known, trained, faults or Faults(), zone)


def read_ahead(
    sources: Sequence[Source],
    choices: ColumnChoices,
    known: Columns,
    trained: Sequence[Channel],
    zone: str | None,
) -> Rows:
    """The rows of sources that only hold what is known ahead: a target, if they have one, is not looked at."""
    tables = open_tables(sources, choices.as_told(known))
    choices = roles.resolved(tables.kinds(), choices)
    named = roles.ahead_columns(tables.kinds(), known, choices, tables.name)
    kinds = {name: kind for name, kind in tables.kinds().items() if name not in named.target_columns}
    return _long_rows(tables, kinds, named, choices, known, trained, Faults(), Wall(choices.zone or zone, told=False))


def rows_of(
    tables: Tables,
    choices: ColumnChoices,
    known: Columns | None,
    trained: Sequence[Channel] | None,
    faults: Faults,
    zone: str | None = None,
) -> Rows:
    """The rows of tables that are open; see `read_rows`."""
    kinds = tables.kinds()
    choices = roles.resolved(kinds, choices)
    named = _named(tables, kinds, choices, known)
    wall = Wall(choices.zone or zone, told=known is None or choices.time_format is not None)
    if named.wide:
        rows = _wide_rows(tables, kinds, named, choices, faults, wall)
        rows = rows if known else replace(rows, notes=tuple(roles.no_series(kinds, {*named.times, *rows.ids})))
    else:
        rows = _long_rows(tables, kinds, named, choices, known, trained, faults, wall)
    rows.tables.ambiguous(faults)
    if not faults.found:
        return rows
    return rows.kept(np.repeat(faults.usable(rows.tables.rows), rows.per_row))


def _named(tables: Tables, kinds: dict[str, Kind], choices: ColumnChoices, known: Columns | None) -> Columns:
    """Columns with time and target settled; the id may still be open."""
    where = tables.name
    roles.named_columns(kinds, choices, where)
    if known is not None:
        return roles.known_columns(kinds, known, choices, where)
    time = roles.time_column(kinds, tables.looks(), choices, where)
    named = Columns(
        time=time,
        id=choices.id[0] if choices.id else None,
        more_ids=choices.id[1:],
        target=next(iter(choices.target), roles.TARGET)
        if choices.wide
        else roles.target_column(kinds, tables.looks(), [time, roles.ID], choices, where, _read_as(time, tables)),
        past=choices.past,
        future=choices.future,
        static=choices.static,
        wide=choices.wide,
        time_format=choices.time_format,
        clock=choices.clock,
        decimal=choices.decimal,
        thousands=choices.thousands,
        separator=choices.separator,
        encoding=choices.encoding,
        format=choices.format,
        sheet=choices.sheet,
    )
    return with_targets(named, choices.target) if len(choices.target) > 1 else named


def _read_as(time: str, tables: Tables) -> str:
    """How the time is read, for an error about something else: people mend both at once."""
    style = tables.styles().get(time)
    return f"; the time is {time!r}" + (f", read as {style}" if style else "")


def _long_rows(
    tables: Tables,
    kinds: dict[str, Kind],
    named: Columns,
    choices: ColumnChoices,
    known: Columns | None,
    trained: Sequence[Channel] | None,
    faults: Faults,
    wall: Wall,
) -> Rows:
    taken = [*named.times, *named.target_columns]
    looks = tables.looks()
    clocks = [name for name, look in looks.items() if look == "clock"]
    guessed = not (named.ids or known)
    candidates = roles.id_candidates(kinds, looks, taken, choices) if guessed else []
    numbered = roles.numbered(kinds, looks, taken, choices) if guessed and len(tables.sources) == 1 else []
    covariates = (*named.past, *named.future, *named.static)
    trained_texts = None if trained is None else vocabularies(trained)
    wanted = _wanted(kinds, named, [*named.ids, *candidates], covariates, trained_texts)
    tables = tables.loaded(wanted, limits_of(choices), faults)
    if not tables.rows:
        raise InputRefused("there are no rows", where=tables.name, hint="a table has a header and rows")
    found = times_of(tables, kinds, named, faults, wall)
    by_file = named.by_file if known else len(tables.sources) > 1 and not (candidates or named.ids)
    refuse = partial(roles.refuse_numbered, numbered, where=tables.name)
    chosen, codes, ids = _told_apart(tables, named, candidates, found.times, refuse, by_file=by_file)
    if known is None and named.clock is None and clocks and found.moments.dates and repeats(found.times, codes):
        roles.refuse_clocks(named, clocks, tables.name)
    check_ids(codes, ids, chosen, tables, faults)
    unknown = np.full(len(found.times), np.nan)
    targets = [tables.floats(name, faults) if name in wanted else unknown for name in named.target_columns]
    values = [] if named.targets else targets
    texts_of: dict[str, tuple[str, ...]] = {}
    notes = [] if known else roles.passed_over(kinds, {*taken, *chosen, *covariates}, looks)
    for name in covariates:
        told = None if trained_texts is None else trained_texts.get(name)
        channel, texts = numbers_or_codes(tables, name, wanted[name], told, faults)
        values.append(channel)
        if texts is not None:
            texts_of[name] = texts
            if trained is not None:
                notes += new_categories(tables, name, texts, codes)
    first, more = (chosen[0], chosen[1:]) if chosen else (None, ())
    marks = _marks(tables, named, known)
    mark = marks[0] if len(set(marks)) == 1 else ""
    fresh = replace(named, id=first, more_ids=more, by_file=by_file, mark=mark, **found.style)
    fresh = replace(fresh, marks=marks if named.targets else ())
    refuse_targets_named(fresh, tables.name)
    if found.moments.zone == "mixed":
        counted = f"days are counted in {wall.zone or 'UTC, unless --zone says otherwise'}"
        notes.append(f"times have several offsets: {counted}")
    rows = Rows(
        codes,
        ids,
        found.times,
        np.stack(values, axis=1) if values else np.zeros((len(codes), 0)),
        forecast_channels(named, texts_of),
        fresh,
        found.zone,
        tables,
        tuple(notes),
        several_offsets=found.moments.zone == "mixed",
        fixed=found.fixed,
    )
    return stacked(rows, np.stack(targets, axis=1)) if named.targets else rows


def _told_apart(
    tables: Tables,
    named: Columns,
    candidates: Sequence[str],
    times: Ints,
    refuse: Callable[[Callable[[Sequence[str]], int]], None],
    *,
    by_file: bool,
) -> tuple[tuple[str, ...], Ints, list[str]]:
    """As `_series`; where times repeat all the same, `refuse` looks whether whole numbers tell series apart."""
    unread = replace(tables, read=())

    def again(names: Sequence[str]) -> int:
        if not names:
            return repeats(times, None)
        return repeats(times, coded(unread.loaded(dict.fromkeys(names, "text"), Limits()), names)[0])

    try:
        found = _series(tables, named, candidates, times, by_file=by_file)
    except InputRefused:
        refuse(again)
        raise
    if not found[0] and not by_file:
        refuse(again)
    return found


def _marks(tables: Tables, named: Columns, known: Columns | None) -> tuple[str, ...]:
    """The currency or percent sign of each target. InputRefused if one is another than in training."""
    names = named.target_columns
    if known is None or not known.targets:
        return tuple(_mark(tables, name, None if known is None else known.mark) for name in names)
    then = dict(zip(known.targets, known.marks, strict=True))
    return tuple(_mark(tables, name, then.get(name)) for name in names)


def _mark(tables: Tables, name: str, then: str | None) -> str:
    """The currency or percent sign of a column. InputRefused if it is another than it was `then`."""
    mark = tables.mark(name)
    if then is not None and mark != then and ("%" in (mark, then) or (mark and then)):
        shown = [f"with {sign}" if sign else "without a sign" for sign in (mark, then)]
        raise InputRefused(
            f"column {name!r} is written {shown[0]}, and in training it was written {shown[1]}",
            where=tables.name,
            hint="convert the numbers, or train again",
        )
    return mark if then is None else then


def _series(
    tables: Tables, named: Columns, candidates: Sequence[str], times: Ints, *, by_file: bool
) -> tuple[tuple[str, ...], Ints, list[str]]:
    """The id columns, the code of each row's series, and the ids."""
    if by_file:
        return (), *tables.by_source()
    if named.ids:
        return named.ids, *coded(tables, named.ids)
    found = {name: coded(tables, [name]) for name in candidates}

    def again(names: Sequence[str]) -> int:
        if not names:
            return repeats(times, None)
        return repeats(times, (found[names[0]] if len(names) == 1 else coded(tables, names))[0])

    chosen = roles.id_column(candidates, again, tables.name)
    if chosen is None:
        return (), np.zeros(len(times), np.int64), [named.target]
    return (chosen,), *found[chosen]


def _wanted(
    kinds: dict[str, Kind],
    named: Columns,
    candidates: Sequence[str],
    covariates: Sequence[str],
    trained: Mapping[str, tuple[str, ...]] | None,
) -> dict[str, Kind]:
    """How each column is to be read."""
    wanted: dict[str, Kind] = dict.fromkeys([*named.times, *candidates], "text")
    wanted |= dict.fromkeys((name for name in named.target_columns if name in kinds), "number")
    for name in covariates:
        numeric = kinds[name] in (*NUMERIC, "empty") if trained is None else name not in trained
        wanted[name] = "number" if numeric else "text"
    return wanted


def _wide_rows(
    tables: Tables, kinds: dict[str, Kind], named: Columns, choices: ColumnChoices, faults: Faults, wall: Wall
) -> Rows:
    series = roles.wide_columns(kinds, tables.looks(), named.times, choices, tables.name)
    wanted: dict[str, Kind] = {**dict.fromkeys(named.times, "text"), **dict.fromkeys(series, "number")}
    tables = tables.loaded(wanted, limits_of(choices), faults)
    found = times_of(tables, kinds, named, faults, wall)
    values = np.stack([tables.floats(name, faults) for name in series], axis=1)
    codes = np.tile(np.arange(len(series)), len(found.times))
    check_ids(codes, series, (), tables, faults)
    return Rows(
        codes,
        series,
        np.repeat(found.times, len(series)),
        values.reshape(-1, 1),
        forecast_channels(named, {}),
        replace(named, **found.style),
        found.zone,
        tables,
        (),
        several_offsets=found.moments.zone == "mixed",
        fixed=None if found.fixed is None else np.repeat(found.fixed, len(series)),
    )


def numbers_or_codes(
    tables: Tables,
    name: str,
    kind: Kind,
    known: tuple[str, ...] | None,
    faults: Faults,
    most: int = CATEGORIES,
    what: str = "covariates",
) -> tuple[Floats, tuple[str, ...] | None]:
    """A column's numbers [n] or, for text, codes into a vocabulary and that vocabulary: the one that is `known`, else
    the `most` frequent texts. Other texts are OTHER. InputRefused if the column holds none of both.
    """
    tables.refuse_nested(name, what)
    if kind == "number" and known is None:
        return tables.floats(name, faults), None
    codes, texts = tables.codes(name, "categories")
    if known is None and not any(texts):  # nothing says that it is text
        return np.full(len(codes), np.nan), None
    if known is None:
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        ranked = sorted(filter(texts.__getitem__, range(len(texts))), key=lambda code: (-counts[code], texts[code]))
        known = tuple(sorted(texts[code] for code in ranked[:most]))
    place = {"": np.nan} | {text: float(number) for number, text in enumerate(known)}
    return np.array([*(place.get(text, OTHER) for text in texts), np.nan])[codes], known


def new_categories(
    tables: Tables, name: str, known: tuple[str, ...], series: Ints, most: int = CATEGORIES
) -> list[str]:
    """A line about the texts that training did not have, the commonest first; none where it had rare ones too, which
    is so where its vocabulary has the `most` that one may have.
    """
    if len(known) >= most:
        return []
    had = set(known)
    codes, texts = tables.codes(name)
    pairs = np.unique(np.stack([codes, series])[:, codes >= 0], axis=1)
    counts = np.bincount(pairs[0], minlength=len(texts))
    fresh = [code for code, text in enumerate(texts) if text and text not in had and counts[code]]
    if not fresh:
        return []
    fresh.sort(key=lambda code: (-counts[code], texts[code]))
    named = ", ".join(f"{texts[code][:40]!r} ({counts[code]:,} series)" for code in fresh[:_NAMED])
    more = f" and {len(fresh) - _NAMED:,} more" if len(fresh) > _NAMED else ""
    return [f"column {name!r} has categories that training did not have: {named}{more}; they count as the average one"]
