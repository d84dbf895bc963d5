"""Labelled tables to flat rows: of each its sequence, its time, its label and its channels, and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rnncli.arrays import Ints
from rnncli.data import columns as roles
from rnncli.data.channel import Channel
from rnncli.data.clocks import times_of
from rnncli.data.frames.block import Block
from rnncli.data.ids import check_ids, coded
from rnncli.data.labels.channels import Passed, channel_kinds, known_channels, new_channels
from rnncli.data.labels.known import KnownLabels
from rnncli.data.labels.label import described_label, known_label, new_label, read_as
from rnncli.data.labels.told_apart import Table, candidates, told_apart
from rnncli.data.limits import limits_of
from rnncli.data.readers.table import Kind
from rnncli.data.rows import Rows
from rnncli.data.tables import Faults, Tables
from rnncli.data.times import Wall
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices, Columns, FrameChoices, LabelChoices


@dataclass(frozen=True)
class LabelRows:
    """`rows`, whose channel 0 is the label; beside it, by the places of rows in their tables, codes [n] into
    `group_names` (None: no groups) and into `fresh`, the classes that training had not (-1: none of these). `passed`
    are columns that are no channels, and why. Where channel 1 is of frames, they lie in `blocks`; `frames` is how they
    were read, and `frame_form` in what they came.
    """

    rows: Rows
    choices: LabelChoices
    groups: Ints | None = None
    group_names: tuple[str, ...] = ()
    unseen: Ints | None = None
    fresh: tuple[str, ...] = ()
    passed: tuple[tuple[str, str], ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict)
    frames: FrameChoices | None = None
    frame_form: str = ""

    def places(self, rows: Rows) -> Ints:
        """Where some of the rows stand among all."""
        return np.arange(len(rows.codes)) if rows.places is None else rows.places


@dataclass(frozen=True)
class Heads:
    """Columns that tell sequences apart and say when a row was, or what its label is, read as texts; which they are,
    lines about what was guessed, and the columns that are `free` to be channels.
    """

    read: Tables
    columns: Columns
    notes: list[str]
    free: tuple[str, ...]


def new_heads(
    tables: Tables, choices: ColumnChoices, labels: LabelChoices, faults: Faults, taken: Sequence[str] = ()
) -> Heads:
    """What columns of a table to learn labels from are, but for those that are `taken`. InputRefused where nothing
    tells sequences apart; UsageError for what was said.
    """
    kinds, looks = tables.kinds(), tables.looks()
    if labels.label is None:
        raise UsageError("there is no label to learn", hint="say which column it is: --label NAME")
    given = {*_named(kinds, choices, labels, tables.name), *taken}
    free = tuple(name for name in kinds if name not in given)
    settling = [labels.label, *choices.id, *([] if labels.group is None else [labels.group])]
    settling += [name for name in (choices.time, choices.clock) if name is not None]
    guesses = candidates(kinds, free)
    read = load_columns(tables, dict.fromkeys([*settling, *guesses], "text"), choices, faults)
    usable = tuple(name for name in guesses if kinds[name] != "text" or read.is_text(name))
    columns, notes = told_apart(Table(read, kinds, looks, choices, labels, usable))
    return Heads(read, columns, notes, tuple(name for name in free if name not in (*columns.times, *columns.ids)))


def new_rows(tables: Tables, choices: ColumnChoices, labels: LabelChoices, faults: Faults) -> LabelRows:
    """The rows of a table to learn labels from. InputRefused where it cannot be one, UsageError for what was said."""
    choices = roles.resolved(tables.kinds(), choices)
    heads = new_heads(tables, choices, labels, faults)
    passed = Passed()
    named = bool(labels.channels)
    wanted = channel_kinds(tables.kinds(), tables.looks(), labels.channels or heads.free, passed, named=named)
    found = labelled_rows(tables, heads, wanted, choices, labels, faults)
    rows = found.rows
    values, channels = new_channels(rows.tables, wanted, rows.codes, passed, faults, named=named)
    full = replace(
        rows,
        values=np.concatenate([rows.values, np.stack(values, axis=1)], axis=1),
        channels=(*rows.channels, *channels),
        notes=(*rows.notes, *passed.notes()),
    )
    return replace(found, rows=full, passed=passed.columns)


def labelled_rows(
    tables: Tables,
    heads: Heads,
    wanted: dict[str, Kind],
    choices: ColumnChoices,
    labels: LabelChoices,
    faults: Faults,
) -> LabelRows:
    """The rows of a table to learn labels from, with their labels alone; their tables hold the `wanted` columns too."""
    kinds, label = tables.kinds(), labels.label
    assert label is not None
    _refuse_text_label(kinds, labels)
    body = load_columns(tables, {**wanted, label: read_as(kinds[label], labels.label_kind)}, choices, faults)
    rows = bare_rows(heads.read, kinds, heads.columns, Wall(choices.zone), faults)
    values, channel = new_label(body, heads.read, label, kinds[label], labels.label_kind, faults)
    notes = (described_label(channel, per_step=labels.per_step), *heads.notes)
    groups, names = _groups(heads.read, labels.group)
    rows = replace(rows, values=values[:, None], channels=(channel,), tables=body, notes=notes)
    return LabelRows(rows, labels, groups, names)


def known_rows(tables: Tables, choices: ColumnChoices, known: KnownLabels, faults: Faults) -> LabelRows:
    """The rows of a table that a model is to label; a column of labels, or of groups, need not be there."""
    kinds = tables.kinds()
    choices = roles.resolved(kinds, choices)
    columns = roles.renamed(known.columns, choices)
    needed = [*columns.times, *columns.ids, *(channel.name for channel in known.inputs)]
    for name in needed:
        if name not in kinds:
            hint = "the model was trained with it"
            raise roles.missing_column(name, kinds, tables.name, hint)
    label = known.label.name if known.label.name in kinds else None
    group = known.choices.group if known.choices.group in kinds else None
    heads_of = [*columns.times, *columns.ids, *([] if group is None else [group])]
    kind_of = {channel.name: _read_as(channel) for channel in (*known.inputs, *([known.label] if label else []))}
    tables = load_columns(tables, {**kind_of, **dict.fromkeys(heads_of, "text")}, choices, faults)
    wall = Wall(choices.zone or known.zone, told=choices.time_format is not None)
    rows = bare_rows(tables, kinds, columns, wall, faults)
    labels = np.full(tables.rows, np.nan)
    unseen: Ints | None = None
    fresh: list[str] = []
    if label is not None:
        labels, (unseen, fresh) = known_label(tables, label, kinds[label], known.label, faults)
    values, notes = known_channels(tables, known.inputs, rows.codes, faults)
    full = replace(rows, values=np.stack([labels, *values], axis=1), channels=known.channels, notes=tuple(notes))
    groups, names = _groups(tables, group)
    return LabelRows(full, known.choices, groups, names, unseen, tuple(fresh))


def _read_as(channel: Channel) -> Kind:
    return "number" if channel.kind == "number" else "text"


def load_columns(tables: Tables, wanted: dict[str, Kind], choices: ColumnChoices, faults: Faults) -> Tables:
    """The wanted columns of every table. InputRefused where there is no row."""
    read = tables.loaded(wanted, limits_of(choices), faults)
    if not read.rows:
        raise InputRefused("there are no rows", where=tables.name, hint="a table has a header and rows")
    return read


def _named(kinds: dict[str, Kind], choices: ColumnChoices, labels: LabelChoices, where: str) -> list[str]:
    """The columns that the user gave a role. InputRefused if one does not exist; UsageError if one has two roles."""
    given = [labels.label, labels.group, choices.time, choices.clock, *choices.id, *labels.channels]
    names = [name for name in given if name is not None]
    for name in names:
        if name not in kinds:
            raise roles.missing_column(name, kinds, where)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None and not (twice == labels.group and twice in choices.id and names.count(twice) == 2):
        raise UsageError(f"column {twice!r} was given two roles", hint="name each column once")
    return names


def _refuse_text_label(kinds: dict[str, Kind], labels: LabelChoices) -> None:
    assert labels.label is not None
    if labels.label_kind == "number" and kinds[labels.label] == "time":
        raise InputRefused(
            f"column {labels.label!r} holds times, which are no labels that are numbers",
            hint="write them as a number: the hours since a moment",
        )


def bare_rows(tables: Tables, kinds: dict[str, Kind], columns: Columns, wall: Wall, faults: Faults) -> Rows:
    """Sequences and times of all rows, without values."""
    codes, ids = _series(tables, columns)
    check_ids(codes, ids, columns.ids, tables, faults)
    nothing = np.empty((tables.rows, 0))
    if not columns.times:
        return Rows(codes, ids, np.zeros(tables.rows, np.int64), nothing, (), columns, None, tables, ())
    found = times_of(tables, kinds, columns, faults, wall)
    mixed = found.moments.zone == "mixed"
    return Rows(
        codes,
        ids,
        found.times,
        nothing,
        (),
        replace(columns, **found.style),
        found.zone,
        tables,
        (),
        several_offsets=mixed,
        fixed=found.fixed,
    )


def _series(tables: Tables, columns: Columns) -> tuple[Ints, list[str]]:
    """The code of each row's sequence, and the ids; a single sequence is called after its label."""
    if columns.by_file:
        return tables.by_source()
    if columns.ids:
        return coded(tables, columns.ids)
    return np.zeros(tables.rows, np.int64), [columns.target]


def _groups(tables: Tables, name: str | None) -> tuple[Ints | None, tuple[str, ...]]:
    """The group of each row as a code, and the groups. InputRefused where a row has none."""
    if name is None:
        return None, ()
    codes, texts = tables.codes(name, "groups")
    empty: Sequence[bool] = [not text.strip() for text in texts]
    missing = np.array([*empty, True])[codes]
    if missing.any():
        raise InputRefused(
            f"there is no group (column {name!r})",
            where=tables.where(int(np.argmax(missing))),
            hint="every row needs its group, or leave --group out",
        )
    return codes, tuple(texts)
