"""Checks of what is not as it was when a model was trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.data.channel import vocabularies
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.checks.seen import Change, Seen
from rnncli.data.panel import Panel
from rnncli.data.rows import CATEGORIES
from rnncli.data.statistics import Drift
from rnncli.data.statistics import drift as drift_since
from rnncli.data.targets import of_each_target
from rnncli.errors import InputRefused
from rnncli.spec import Columns

COLUMN_MISSING, COLUMN_RETYPED, TIME_CHANGED = "column-missing", "column-retyped", "time-changed"
_SAID = {
    COLUMN_MISSING: ("columns of the training are not there", "name them as in training, or say --time --id --target"),
    COLUMN_RETYPED: ("columns are of another kind than in training", "write them as in training, or train again"),
    TIME_CHANGED: ("time is written in another way than in training", "write it as in training, or say --zone NAME"),
}


def of_changes(changes: tuple[Change, ...], id: str) -> Finding | None:  # noqa: A002  # as a finding calls it
    """One finding for all changes of one kind."""
    found = [change for change in changes if change.id == id]
    if not found:
        return None
    what, remedy = _SAID[id]
    return Finding("error", what, len(found), tuple(Example(says=change.says) for change in found), remedy, id)


def column_missing(seen: Seen) -> Finding | None:
    """Columns that the model needs."""
    return of_changes(seen.changes, COLUMN_MISSING)


def column_retyped(seen: Seen) -> Finding | None:
    """Columns of numbers that hold text now, or the other way round."""
    return of_changes(seen.changes, COLUMN_RETYPED)


def time_changed(seen: Seen) -> Finding | None:
    """Whole numbers in place of dates, a zone in place of none, or the other way round."""
    return of_changes(seen.changes, TIME_CHANGED)


def frequency_changed(seen: Seen) -> Finding | None:
    """Rows that are not on the model's grid."""
    error = seen.calendar
    if seen.known is None or not isinstance(error, InputRefused):
        return None
    examples = (Example(where=error.where or None, says=error.message),)
    return Finding("error", "rows are not the model's frequency apart", 1, examples, error.hint)


def category_new(seen: Seen) -> Finding | None:
    """Texts of categorical columns that the training did not have."""
    if seen.known is None:
        return None
    known = vocabularies(seen.known.channels)
    return finding_of_fresh([(name, *each) for name in known for each in fresh_categories(seen, name, known[name])])


def fresh_categories(seen: Seen, name: str, known: Sequence[str]) -> list[tuple[str, int]]:
    """Texts of a categorical column that are not `known`, each with its rows; none where training left out some."""
    if name not in seen.rows.channel_names or len(known) >= CATEGORIES:
        return []
    codes, texts = seen.rows.tables.codes(name)
    rows = np.bincount(codes[codes >= 0], minlength=len(texts)).tolist()
    return [(text, count) for text, count in zip(texts, rows, strict=True) if text and text not in known and count]


def finding_of_fresh(fresh: Sequence[tuple[str, str, int]]) -> Finding | None:
    """The finding about texts that training did not have: the column, the text and its rows."""
    if not fresh:
        return None
    examples = tuple(Example(says=f"{text!r} in column {name!r}, {rows:,} rows") for name, text, rows in fresh[:SHOWN])
    remedy = "look for another spelling; new ones count as the average one until the model is trained again"
    return Finding("warning", "categories are new since training", len(fresh), examples, remedy)


def series_unseen(seen: Seen) -> Finding | None:
    """Series that training did not have."""
    if seen.trained is None:
        return None
    found = [s for s, name in enumerate(seen.ids) if name not in seen.trained.cutoffs]
    columns = seen.columns
    if not found or not (columns.ids or columns.targets or columns.wide or columns.by_file):
        return None
    remedy = "they are forecast all the same; train again if they are unlike the others"
    return Finding("note", "series are new since training", len(found), seen.of_series(found), remedy)


def drift(seen: Seen) -> Finding | None:
    """Columns whose recent values have left the range of the training."""
    found = drift_of(seen)
    return None if found is None else finding_of_drift(found)


def drift_of(seen: Seen) -> Drift | None:
    """What is new since training; None where that cannot be told."""
    trained, panel = seen.trained, seen.panel
    if trained is None or seen.known is None or trained.statistics is None or not isinstance(panel, Panel):
        return None
    if not _same_channels(panel, trained.columns) or seen.calendar != trained.calendar:
        return None
    if trained.columns.future:  # rows that wait for their target say nothing yet
        panel = panel.cut(panel.observed_ends())
    targets = of_each_target(panel, trained.columns)
    return drift_since(trained.statistics, panel, trained.cutoffs, {}, targets, trained.places)


def finding_of_drift(drift: Drift) -> Finding | None:
    """The finding about columns that have drifted."""
    found = [column for column in drift.columns if column.has_drifted]
    if not found:
        return None
    examples = tuple(Example(says=str(column)) for column in found[:SHOWN])
    return Finding(
        "warning",
        "columns have drifted since training",
        len(found),
        examples,
        "look at these series; if they are right, train again",
    )


def _same_channels(panel: Panel, columns: Columns) -> bool:
    """Whether the panel has the target and the covariates; of several targets it may have some."""
    names = panel.channel_names
    same = bool(columns.targets) or names[0] == columns.target
    return same and names[1:] == (*columns.past, *columns.future, *columns.static)
