"""Several targets in one table: each row of it is a row of as many series, told apart by the target's column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rnncli.arrays import Bools, Floats
from rnncli.data.ids import joined, parts_of
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import TARGETS, Columns

if TYPE_CHECKING:
    from rnncli.data.panel import Panel
    from rnncli.data.rows import Rows

_SHOWN = 8  # targets that are named


def of_targets(columns: Columns, told: Sequence[str]) -> Columns:
    """A model's columns with the targets that the user named now: other ones, or fewer, where each is a series."""
    if not told:
        return columns
    if columns.targets:
        marks = dict(zip(columns.targets, columns.marks, strict=True))
        return with_targets(replace(columns, marks=tuple(marks.get(name, "") for name in told)), told)
    if len(told) > 1:
        has = "a wide table, whose columns of numbers are its series" if columns.wide else "one target"
        raise UsageError(
            f"--target names {len(told)} columns, and the model was trained with {has}",
            hint="leave it out" if columns.wide else "name one, or train with several",
        )
    return replace(columns, target=told[0])


def with_targets(columns: Columns, names: Sequence[str]) -> Columns:
    """The columns with several targets, each of which is a series. UsageError where one has another role."""
    others = (*columns.times, *columns.ids, *columns.past, *columns.future, *columns.static)
    target = ", ".join(names)
    refuse_twice([*names, *others, *([target] if target not in names else [])])
    return replace(columns, target=target, targets=tuple(names))


def refuse_targets_named(columns: Columns, where: str) -> None:
    """InputRefused where a column that comes back beside a forecast is called as the one that names its target."""
    if columns.targets and TARGETS in (*columns.times, *columns.ids):
        raise InputRefused(
            f"a column {TARGETS!r} tells several targets apart, and the data have a time or an id that is called so",
            where=where,
            hint="rename it in the data",
        )


def shown_targets(columns: Columns) -> str:
    """What is forecast, for people: the target, or the first of several."""
    first = ", ".join(columns.targets[:_SHOWN])
    more = len(columns.targets) - _SHOWN
    return f"{first} and {more:,} more" if more > 0 else columns.target


def target_of(columns: Columns, series: str) -> str:
    """The column that a series stands in, by its id."""
    if not columns.targets:
        return columns.target
    return parts_of(series, len(columns.series_columns))[-1]


def said_targets(columns: Columns) -> str:
    """The end of the line about the columns."""
    if columns.wide:
        return ""
    if not columns.targets:
        return f", target {columns.target!r}"
    more = len(columns.targets) - _SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return f", targets {', '.join(map(repr, columns.targets[:_SHOWN]))}{rest}"


def refuse_twice(names: Sequence[str]) -> None:
    """UsageError for a column that has two roles."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"column {twice!r} was given two roles", hint="name each column once")


def stacked(rows: Rows, targets: Floats) -> Rows:
    """Rows of a table [n, covariates] as rows of series [n * k, 1 + covariates], from the targets [n, k]: one after the
    other for each row of the table. An id is that of the row, if it has one, and the target's column.
    """
    columns, count = rows.columns, targets.shape[1]
    parts = max(1, len(columns.ids))
    unnamed = not columns.ids and not columns.by_file
    ids = [
        name if unnamed else joined([*parts_of(series, parts), name]) for series in rows.ids for name in columns.targets
    ]
    codes = np.repeat(rows.codes, count) * count + np.tile(np.arange(count), len(rows.codes))
    return replace(
        rows,
        codes=np.where(np.repeat(rows.codes, count) < 0, -1, codes),
        ids=ids,
        times=np.repeat(rows.times, count),
        values=np.stack([targets.reshape(-1), *(np.repeat(channel, count) for channel in rows.values.T)], axis=1),
        fixed=None if rows.fixed is None else np.repeat(rows.fixed, count),
    )


def ids_of_rows(rows: Rows) -> list[str]:
    """The ids that the rows of the tables have, without the targets that they are joined with."""
    columns = rows.columns
    if not columns.targets:
        return rows.ids
    parts = [parts_of(series, len(columns.series_columns))[:-1] for series in rows.ids]
    return list(dict.fromkeys(joined(part) for part in parts if part))


def never_observed(panel: Panel, columns: Columns) -> str | None:
    """The first target that has no value in any series; None if all have some, or there is only one."""
    if not columns.targets:
        return None
    seen = np.logical_or.reduceat(~np.isnan(panel.targets), panel.offsets[:-1])
    return next((name for name, of in of_each_target(panel, columns).items() if not (seen & of).any()), None)


def of_each_target(panel: Panel, columns: Columns) -> dict[str, Bools]:
    """Which series [series] are of each target; nothing where there is only one."""
    if not columns.targets:
        return {}
    stands = [target_of(columns, series) for series in panel.ids]
    return {name: np.array([found == name for found in stands], np.bool_) for name in columns.targets}
