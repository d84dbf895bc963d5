"""Labelled tables to a panel: sequences in order, one label each or one a step; or one clear refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.frames.files import holds_frames
from rnncli.data.frames.pixels import shown_grid
from rnncli.data.instants import in_utc, seen_as_of, zone_of
from rnncli.data.known import Known
from rnncli.data.labels.framed import known_framed, new_framed
from rnncli.data.labels.known import KnownLabels
from rnncli.data.labels.rows import LabelRows, known_rows, new_rows
from rnncli.data.labels.sequences import ROW, known_sequences, new_sequences
from rnncli.data.labels.told_apart import refuse_senseless
from rnncli.data.load import Loaded, of_usable_series
from rnncli.data.noted import Notes
from rnncli.data.objects import Data
from rnncli.data.ordered import refuse_wild, sorted_rows, without_duplicates
from rnncli.data.panel import Panel
from rnncli.data.rows import Rows
from rnncli.data.source import sources
from rnncli.data.tables import Faults, Tables, open_tables
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, Columns, FrameChoices, LabelChoices

NAMED = 3  # in a note


def load_labels(
    given: Data,
    choices: ColumnChoices | None = None,
    labels: LabelChoices | None = None,
    known: KnownLabels | None = None,
    frames: FrameChoices | None = None,
) -> Loaded:
    """Read every source in `given` (see data/source.py) as sequences with labels.

    Channel 0 of the panel is the label: codes of classes, or numbers; NaN where there is none. A label per sequence
    stands in each of its rows. With `known`, columns, kinds, vocabularies and `labels` are those of a model. With
    `frames`, or where a model's are, channel 1 is of frames. Raises InputRefused or SeriesRefused with the place of
    what is wrong, UsageError for choices that make no sense.
    """
    choices, labels = choices or ColumnChoices(), (known.choices if known else labels) or LabelChoices()
    frames = known.frames if known else frames
    tables = open_labels(given, choices, labels, known, frames)
    return load_rows(read_labels(tables, choices, labels, known, frames), choices, known)


def load_rows(found: LabelRows, choices: ColumnChoices, known: KnownLabels | None) -> Loaded:
    """Rows that were read as a panel; see `load_labels`."""
    if found.choices.row_per_sequence:
        return of_usable_series(found.rows, choices, lambda rows: to_labels(found, rows, None, known))
    zone = _zone(found.rows, choices, known)
    rows = in_utc(found.rows, zone, choices)
    if choices.as_of is not None:
        _refuse_no_time(rows)
        rows = seen_as_of(rows, choices.as_of, zone)
    return of_usable_series(rows, choices, lambda some: to_labels(found, some, zone, known))


def read_labels(
    tables: Tables,
    choices: ColumnChoices,
    labels: LabelChoices,
    known: KnownLabels | None,
    frames: FrameChoices | None = None,
) -> LabelRows:
    """The rows of tables that are open, before anything is asked of them together."""
    faults = Faults()
    if frames is not None:
        return (
            new_framed(tables, choices, labels, frames, faults)
            if known is None
            else known_framed(tables, choices, known, faults)
        )
    if labels.row_per_sequence:
        return (
            new_sequences(tables, choices, labels, faults)
            if known is None
            else known_sequences(tables, choices, known, faults)
        )
    return new_rows(tables, choices, labels, faults) if known is None else known_rows(tables, choices, known, faults)


def open_labels(
    given: Data,
    choices: ColumnChoices,
    labels: LabelChoices,
    known: KnownLabels | None,
    frames: FrameChoices | None = None,
) -> Tables:
    """Every source opened by its reader. UsageError for choices that make no sense."""
    refuse_senseless(choices, labels)
    if frames is not None and holds_frames(given):
        raise UsageError(
            "labels stand in a column, and files of frames have none",
            hint="give a table with a row for each frame: its sequence, its label, and the frame as bytes or a list",
        )
    usual = None if known is None else known.columns.format
    told = choices if known is None else choices.as_told(known.columns)
    found = sources(given, choices, usual)
    return open_tables(found, replace(told, header=not labels.row_per_sequence))


def _zone(rows: Rows, choices: ColumnChoices, known: KnownLabels | None) -> str | None:
    """The zone of the times; at prediction the model's, which must be of the same kind."""
    if known is None or not rows.columns.times:
        return zone_of(rows, choices, None)
    unit = "step" if known.columns.time_type == "integer" else "microsecond"
    return zone_of(rows, choices, Known(known.columns, Calendar(Frequency(unit), (1,), known.zone), known.channels))


def _refuse_no_time(rows: Rows) -> None:
    if not rows.columns.times:
        raise UsageError("--as-of needs a time, and rows have none", hint="say which column it is: --time NAME")


def to_labels(found: LabelRows, rows: Rows, zone: str | None, known: KnownLabels | None) -> Loaded:
    """Some of the rows that were read, with times in UTC, as a panel with their labels."""
    refuse_wild(rows)
    notes, choices = Notes(rows.notes), found.choices
    order, offsets = sorted_rows(rows, notes)
    if rows.columns.times:
        order, offsets = without_duplicates(rows, order, offsets, zone, notes)
    first = order[offsets[:-1]]
    ids = tuple(rows.ids[code] for code in rows.codes[first].tolist())
    values = rows.values[order]
    codes = _unseen_codes(found, rows, order)
    notes.extend(_unseen(found, codes, offsets))
    if not choices.per_step:
        values[:, 0] = np.repeat(_one_label(rows, order, offsets, ids), np.diff(offsets))
    if known is None:
        _refuse_nothing(values[:, 0], rows)
    empty = np.isnan(values[:, 0]) & (codes < 0)
    empty = empty if choices.per_step else np.logical_and.reduceat(empty, offsets[:-1])
    notes.extend(_unlabelled(empty, per_step=choices.per_step, known=known is not None))
    zeros = np.zeros(len(ids), np.int64)
    calendar = Calendar(Frequency("step"), (1,), zone)
    panel = Panel(ids, offsets, values, zeros, zeros, calendar, rows.channels, blocks=found.blocks)
    groups = _groups(found, rows, order, offsets, ids)
    times = rows.times[order] if rows.columns.times else None
    loaded = Loaded(panel, rows.columns, notes.lines(), (), times, groups, choices)
    return replace(loaded, frames=found.frames, frame_form=found.frame_form)


def _one_label(rows: Rows, order: Ints, offsets: Ints, ids: Sequence[str]) -> Floats:
    """The label of each sequence, from those of its rows that have one; NaN where none has.

    SeriesRefused naming the first sequence in which it changes, with the places of both.
    """
    label = rows.values[order, 0]
    low, high = (extreme.reduceat(label, offsets[:-1]) for extreme in (np.fmin, np.fmax))
    changes = np.flatnonzero(low < high)
    if not len(changes):
        return np.asarray(low)
    s = int(changes[0])
    here = np.arange(offsets[s], offsets[s + 1])
    here = here[~np.isnan(label[here])]
    other = here[np.argmax(label[here] != label[here[0]])]
    channel = rows.channels[0]
    one, two = (shown_label(float(label[place]), channel) for place in (here[0], other))
    before = rows.where(int(order[here[0]]))
    raise SeriesRefused(
        f"label {channel.name!r} of sequence {ids[s]!r} changes, from {one} ({before}) to {two}",
        ids[s],
        where=rows.where(int(order[other])),
        hint="if each row has a label of its own: --per-step; if another column tells sequences apart: --id NAME",
    )


def shown_label(value: float, channel: Channel) -> str:
    """A label as messages write it."""
    return repr(channel.vocabulary[int(value)]) if channel.kind == "category" else f"{value:.10g}"


def _refuse_nothing(label: Floats, rows: Rows) -> None:
    """InputRefused where there is no label, or only one."""
    channel, seen = rows.channels[0], label[~np.isnan(label)]
    if not seen.size:
        raise InputRefused(
            f"column {channel.name!r} has no value",
            where=rows.tables.name,
            hint="look at the column and at how missing values are written; or name another: --label NAME",
        )
    if (seen == seen[0]).all():
        one = shown_label(float(seen[0]), channel)
        raise InputRefused(
            f"all labels are {one} (column {channel.name!r})",
            where=rows.tables.name,
            hint="give sequences of two classes at least; or name another column: --label NAME",
        )


def _unseen_codes(found: LabelRows, rows: Rows, order: Ints) -> Ints:
    """The class of each row as one of those that training had not, -1 where it is none of them: [n]."""
    return np.full(len(order), -1) if found.unseen is None else found.unseen[found.places(rows)[order]]


def _unseen(found: LabelRows, codes: Ints, offsets: Ints) -> list[str]:
    """A line about classes that training had not, with how many sequences (or rows) have each."""
    series = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    known = codes >= 0
    if not known.any():
        return []
    what = "row" if found.choices.per_step else "sequence"
    place = np.flatnonzero(known) if found.choices.per_step else series[known]
    pairs = np.unique(np.stack([codes[known], place]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(found.fresh))
    ranked = sorted(np.flatnonzero(counts).tolist(), key=lambda code: (-counts[code], found.fresh[code]))
    named = [(found.fresh[code][:40], int(counts[code])) for code in ranked[:NAMED]]
    some = ", ".join(f"{name!r} ({count:,} {what}{'s' * (count > 1)})" for name, count in named)
    more = f" and {len(ranked) - NAMED:,} more" if len(ranked) > NAMED else ""
    label = found.rows.channels[0].name
    return [f"label {label!r} has classes that training did not have: {some}{more}; they are not scored"]


def _unlabelled(empty: Bools, *, per_step: bool, known: bool) -> list[str]:
    """A line about sequences, or rows, that are `empty`: without a label where others have one."""
    count = int(np.count_nonzero(empty))
    if not count or (known and count == len(empty)):
        return []
    what = "row" if per_step else "sequence"
    return [f"{count:,} {what}{'s' * (count > 1)} {'have' if count > 1 else 'has'} no label: not scored"]


def _groups(found: LabelRows, rows: Rows, order: Ints, offsets: Ints, ids: Sequence[str]) -> tuple[str, ...] | None:
    """The group of each sequence; SeriesRefused naming one that has two."""
    if found.groups is None:
        return None
    codes = found.groups[found.places(rows)[order]]
    begins = offsets[:-1]
    low, high = np.minimum.reduceat(codes, begins), np.maximum.reduceat(codes, begins)
    changes = np.flatnonzero(low < high)
    if len(changes):
        s = int(changes[0])
        here = np.arange(offsets[s], offsets[s + 1])
        row = here[np.argmax(codes[here] != codes[here[0]])]
        one, two = (found.group_names[int(codes[place])] for place in (here[0], row))
        raise SeriesRefused(
            f"sequence {ids[s]!r} is of two groups, {one!r} and {two!r} (column {found.choices.group!r})",
            ids[s],
            where=rows.where(int(order[row])),
            hint="a group holds whole sequences: name another column, or leave --group out",
        )
    return tuple(found.group_names[code] for code in low.tolist())


def described(columns: Columns, channels: Sequence[Channel]) -> str:
    """What the columns of labelled data were taken for, in one line; channel 0 is the label."""
    names = [channel.name for channel in channels[1:]]
    time = f"time {' and '.join(map(repr, columns.times))}, " if columns.times else ""
    ids = f"id {' and '.join(map(repr, columns.ids))}" if columns.ids else "one sequence"
    ids = "one sequence a file" if columns.by_file else ids
    ids = "one sequence a row" if not columns.ids and columns.id_name == ROW else ids
    if channels[1].kind == "frame":
        return f"{time}{ids}, frames {names[0]!r}: {shown_grid(channels[1].shape)}"
    some = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    return f"{time}{ids}, {len(names):,} channel{'s' * (len(names) > 1)}: {some}"
