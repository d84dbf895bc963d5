"""Tables of which each row is one sequence: a label, perhaps an id, and the values of one channel, step after step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data import columns as roles
from rnncli.data.channel import Channel
from rnncli.data.ids import check_ids, coded
from rnncli.data.labels.known import KnownLabels
from rnncli.data.labels.label import described_label, known_label, new_label, read_as
from rnncli.data.labels.rows import LabelRows
from rnncli.data.limits import limits_of
from rnncli.data.panel import offsets_of, ranges
from rnncli.data.readers.table import NUMERIC, Kind
from rnncli.data.rows import Rows
from rnncli.data.tables import Faults, Tables
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, Columns, LabelChoices

ROW = "row"  # what the ids of rows are called that have none
VALUE = "value"  # what the one channel is called


def new_sequences(tables: Tables, choices: ColumnChoices, labels: LabelChoices, faults: Faults) -> LabelRows:
    """The sequences of a table, one a row. Columns of a file without a header are called 1, 2, 3 and so on."""
    kinds = tables.kinds()
    choices = roles.resolved(kinds, choices)
    if labels.label is None:
        raise UsageError("there is no label to learn", hint="say which column it is: --label NAME, or --label 1")
    for name in (labels.label, labels.group, *choices.id):
        if name is not None and name not in kinds:
            raise roles.missing_column(name, kinds, tables.name)
    ids = choices.id or tuple(name for name in kinds if name == roles.ID != labels.label)
    columns = Columns(
        time=None,
        id=ids[0] if ids else None,
        more_ids=ids[1:],
        target=labels.label,
        time_type="integer",
        id_name=ROW,
        decimal=choices.decimal,
        thousands=choices.thousands,
        separator=choices.separator,
        encoding=choices.encoding,
        format=choices.format,
        sheet=choices.sheet,
        numbered=len(kinds) if _numbered(kinds) else None,
    )
    steps, left = _steps(tables, (labels.label, labels.group, *ids))
    written = tables.loaded({labels.label: "text"}, limits_of(choices), faults)
    tables = _loaded(tables, columns, steps, labels.group, choices, faults, {labels.label: _kind(kinds, labels)})
    label, channel = new_label(tables, written, labels.label, kinds[labels.label], labels.label_kind, faults)
    notes = [described_label(channel, per_step=False)]
    if columns.numbered:
        notes.append(f"the first line is a row, so columns are numbered; the label is column {labels.label}")
    if left:
        notes.append(f"columns that hold no numbers are no steps: {', '.join(map(repr, left[:5]))}")
    return _rows(tables, columns, steps, labels, (label, channel), faults, notes)


def known_sequences(tables: Tables, choices: ColumnChoices, known: KnownLabels, faults: Faults) -> LabelRows:
    """The sequences of a table that a model is to label. A file without a header has the columns that training had, but
    perhaps for the labels.
    """
    kinds = tables.kinds()
    columns = roles.renamed(known.columns, roles.resolved(kinds, choices))
    choice = known.choices
    label_column = known.label.name if known.label.name in kinds else None
    if columns.numbered and _numbered(kinds):
        _refuse_other_count(len(kinds), columns.numbered, tables)
        if len(kinds) < columns.numbered:
            label_column, columns, choice = None, *_without_label(columns, choice, int(known.label.name))
    for name in columns.ids:
        if name not in kinds:
            raise roles.missing_column(name, kinds, tables.name, "the model was trained with it")
    group = choice.group if choice.group in kinds else None
    steps, _ = _steps(tables, (label_column, group, *columns.ids))
    kind: Kind = "number" if known.label.kind == "number" else "text"
    tables = _loaded(tables, columns, steps, group, choices, faults, {label_column: kind} if label_column else {})
    label = np.full(tables.rows, np.nan)
    unseen: Ints | None = None
    fresh: list[str] = []
    if label_column is not None:
        label, (unseen, fresh) = known_label(tables, label_column, kinds[label_column], known.label, faults)
    labels = replace(choice, group=group)
    found = _rows(tables, columns, steps, labels, (label, known.label), faults, [])
    return replace(found, unseen=unseen, fresh=tuple(fresh))


def _numbered(kinds: dict[str, Kind]) -> bool:
    """Whether the columns are called by their numbers, as those of a file without a header are."""
    return list(kinds) == [str(place) for place in range(1, len(kinds) + 1)]


def _refuse_other_count(count: int, trained: int, tables: Tables) -> None:
    """InputRefused where nothing says which columns are steps: there is one for each of training's, or none of labels
    and the others.
    """
    if count not in (trained, trained - 1):
        raise InputRefused(
            f"there are {count:,} columns without a header, and training had {trained:,}",
            where=tables.name,
            hint=f"give all {trained:,}, or all but the labels; leave fields behind a sequence's end empty",
        )


def _without_label(columns: Columns, choice: LabelChoices, label: int) -> tuple[Columns, LabelChoices]:
    """Where the other columns stand in a file whose column of labels is left out."""

    def now(name: str | None) -> str | None:
        return name if name is None or int(name) < label else str(int(name) - 1)

    more = tuple(str(now(name)) for name in columns.more_ids)
    return replace(columns, id=now(columns.id), more_ids=more), replace(choice, group=now(choice.group))


def _kind(kinds: dict[str, Kind], labels: LabelChoices) -> Kind:
    assert labels.label is not None
    return read_as(kinds[labels.label], labels.label_kind)


def _steps(tables: Tables, taken: Sequence[str | None]) -> tuple[list[str], list[str]]:
    """The columns of steps, in order, and those that hold no numbers."""
    kinds, looks = tables.kinds(), tables.looks()
    free = [name for name in kinds if name not in taken]
    steps = [name for name in free if kinds[name] in (*NUMERIC, "empty") or looks.get(name) == "numbers"]
    return steps, [name for name in free if name not in steps]


def _loaded(
    tables: Tables,
    columns: Columns,
    steps: Sequence[str],
    group: str | None,
    choices: ColumnChoices,
    faults: Faults,
    label: dict[str, Kind],
) -> Tables:
    if not steps:
        raise InputRefused(
            "no column of numbers is left to be a step",
            where=tables.name,
            hint="with --row-per-sequence each row holds a label and the values of its steps",
        )
    texts = [*columns.ids, *([] if group is None else [group])]
    wanted: dict[str, Kind] = {**dict.fromkeys(texts, "text"), **dict.fromkeys(steps, "number"), **label}
    read = tables.loaded(wanted, limits_of(choices), faults)
    if not read.rows:
        raise InputRefused("there are no rows", where=tables.name, hint="each row is a sequence")
    return read


def _rows(
    tables: Tables,
    columns: Columns,
    steps: Sequence[str],
    labels: LabelChoices,
    label: tuple[Floats, Channel],
    faults: Faults,
    notes: Sequence[str],
) -> LabelRows:
    """One row a step: what is missing at the end of a sequence is no step of it."""
    wide = np.stack([tables.floats(name, faults) for name in steps], axis=1)
    codes, ids = _ids(tables, columns, faults)
    seen = ~np.isnan(wide)
    lengths = np.where(seen.any(axis=1), wide.shape[1] - np.argmax(seen[:, ::-1], axis=1), 0)
    _refuse_empty(lengths, codes, ids, tables)
    at = ranges(np.arange(len(wide)) * wide.shape[1], lengths)
    owner = np.repeat(np.arange(len(wide)), lengths)
    rows = Rows(
        codes[owner],
        ids,
        np.arange(offsets_of(lengths)[-1]) - np.repeat(offsets_of(lengths)[:-1], lengths),
        np.stack([label[0][owner], wide.ravel()[at]], axis=1),
        (label[1], Channel(VALUE, "number", "input")),
        columns,
        None,
        tables,
        tuple(notes),
        places=owner,
    )
    groups, names = (None, []) if labels.group is None else tables.codes(labels.group, "groups")
    return LabelRows(rows, labels, groups, tuple(names))


def _ids(tables: Tables, columns: Columns, faults: Faults) -> tuple[Ints, list[str]]:
    """The code of each row's sequence: by its id, which no other row has, or by the number of the row."""
    if not columns.ids:
        return np.arange(tables.rows), [str(row) for row in range(1, tables.rows + 1)]
    codes, ids = coded(tables, columns.ids)
    check_ids(codes, ids, columns.ids, tables, faults)
    first = np.zeros(len(codes), np.bool_)
    first[np.unique(codes, return_index=True)[1]] = True
    if not first.all():
        row = int(np.argmin(first))
        raise InputRefused(
            f"id {ids[int(codes[row])]!r} comes twice, and each row is one sequence",
            where=tables.where(row),
            hint="give each row its own id, or leave --id out",
        )
    return codes, ids


def _refuse_empty(lengths: Ints, codes: Ints, ids: Sequence[str], tables: Tables) -> None:
    if (lengths == 0).any():
        row = int(np.argmin(lengths))
        name = ids[int(codes[row])]
        raise SeriesRefused(
            f"sequence {name!r} has no value", name, where=tables.where(row), hint="take the row out, or complete it"
        )
