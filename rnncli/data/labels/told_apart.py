"""Which columns of a labelled table tell its sequences apart, and which says when a row was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data import columns as roles
from rnncli.data.ids import coded
from rnncli.data.numbertext import MISSING
from rnncli.data.readers.table import NUMERIC, Kind, Look
from rnncli.data.tables import Tables
from rnncli.data.timestyle import STEP
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices, Columns, LabelChoices

TIMES = ("t", "time", "step", "ds", "timestep", "time_step", "timestamp", "datetime", "date")
_NAMES = "id|uid|uuid|series|sequence|seq|sample|case|trial|recording|session|clip|video"
_CALLED_ID = re.compile(rf"(?:.*_)?(?:{_NAMES})(?:_id)?|case_concept_name")  # the last as process logs in XES have it
_MANY_ROWS = 20  # that count up are no accident
_LOOKED_AT = 40  # columns of whole numbers or texts that may be ids or steps


@dataclass(frozen=True)
class Table:
    """A labelled table of which candidates are read as texts: what each column is, and what the user said of it.

    `free` are the candidates: columns that the user gave no role, and that may be an id or a time.
    """

    tables: Tables
    kinds: Mapping[str, Kind]
    looks: Mapping[str, Look]
    choices: ColumnChoices
    labels: LabelChoices
    free: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name that messages call it by."""
        return self.tables.name

    def codes(self, names: Sequence[str]) -> Ints:
        """A code for each row by some columns; -1 where one of them is empty."""
        codes, texts = coded(self.tables, names)
        return np.array([*(place if text.strip() else -1 for place, text in enumerate(texts)), -1], np.int64)[codes]

    def steps(self, name: str) -> Ints | None:
        """The whole numbers of a column [n]; None if a row has none."""
        codes, texts = self.tables.codes(name)
        try:
            numbers = np.array([int(text) for text in texts], np.int64)
        except (ValueError, OverflowError):
            return None
        return None if (codes < 0).any() or not len(numbers) else numbers[codes]


def candidates(kinds: Mapping[str, Kind], free: Sequence[str]) -> list[str]:
    """Columns that may be an id or a time, to be read as texts."""
    times = [name for name in free if kinds[name] == "time"]
    others = [name for name in free if kinds[name] in ("text", "whole")]
    named = [name for name in others if name.lower() in TIMES or called_id(name)]
    known = [name for name in free if name == roles.ID and kinds[name] != "other"]
    return list(dict.fromkeys([*known, *times, *named, *others[:_LOOKED_AT]]))


def called_id(name: str) -> bool:
    """Whether a column is called like one that tells sequences apart."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return _CALLED_ID.fullmatch(re.sub(r"\W", "_", spaced)) is not None


def told_apart(table: Table) -> tuple[Columns, list[str]]:
    """The columns with ids and time settled (see `_ids` and `_time`), and lines about what was guessed or passed over.

    InputRefused where nothing tells sequences apart, or several columns may be meant.
    """
    choices, labels = table.choices, table.labels
    time, notes = _time(table)
    ids, by_file = _ids(table, time)
    if time is None and choices.time is None:
        time, more = _counted(table, ids, by_file=by_file)
        notes += more
    time = time if choices.time is None else choices.time
    if time is None:
        notes.append("no column is the time: rows are in order")
    assert labels.label is not None
    counts = time is not None and table.kinds[time] == "whole" and table.looks.get(time) != "dates"
    return Columns(
        time=time,
        id=ids[0] if ids else None,
        more_ids=ids[1:],
        target=labels.label,
        time_type="integer" if time is None else "timestamp",
        time_format=choices.time_format or (STEP if counts and choices.time is None else None),
        clock=choices.clock,
        by_file=by_file,
        decimal=choices.decimal,
        thousands=choices.thousands,
        separator=choices.separator,
        encoding=choices.encoding,
        format=choices.format,
        sheet=choices.sheet,
    ), notes


def _time(table: Table) -> tuple[str | None, list[str]]:
    """A column that is called like a time, or the one column of dates; None if there is none, or several may be."""
    choices = table.choices
    if choices.time is not None:
        return None, []
    free = [name for name in table.free if table.kinds[name] in ("time", "whole")]
    dates = [name for name in free if table.kinds[name] == "time"]
    named = [name for name in free if name.lower() in TIMES]
    for found in ([name for name in named if name in dates], named, dates):
        if len(found) == 1:
            roles.refuse_guessing(choices, "--time", table.name)
            others = [name for name in dates if name != found[0]]
            return found[0], _passed_over(others)
        if found:
            return None, _unclear(found, table)
    return None, []


def _unclear(found: Sequence[str], table: Table) -> list[str]:
    """A line about several columns that could be the time; under --strict, the error."""
    if table.choices.strict:
        raise roles.ambiguous_column("time", found, "--time", table.name)
    return [f"which of {_names(found)} is the time is not said; if one is: --time {found[0]}"]


def _passed_over(dates: Sequence[str]) -> list[str]:
    plural = len(dates) > 1
    return [f"column{'s' * plural} {_names(dates)} of dates {'are' if plural else 'is'} passed over"] if dates else []


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _ids(table: Table, time: str | None) -> tuple[tuple[str, ...], bool]:
    """The id columns, and whether each file is a sequence: what was said, `unique_id`, or what can only be meant."""
    choices, labels = table.choices, table.labels
    if choices.id:
        return choices.id, False
    free = [name for name in table.free if name != time and name.lower() not in TIMES]
    if roles.ID in free:
        return (roles.ID,), False
    several = len(table.tables.sources) > 1
    if labels.per_step:
        return _ids_of_steps(table, free, time or choices.time, several=several)
    if several and _constant(_labels(table), table.tables.by_source()[0]):
        return (), True
    found = _grouping(table, free, time)
    if found is not None:
        roles.refuse_guessing(choices, "--id", table.name)
        return (found,), False
    raise InputRefused(
        "nothing tells the sequences apart",
        where=table.name,
        hint="say which column does: --id NAME; if each row is a sequence: --row-per-sequence;"
        " if each row has its own label: --per-step",
    )


def _labels(table: Table) -> Ints:
    """A code for the label of each row, -1 where it has none."""
    name = table.labels.label
    assert name is not None
    codes, texts = table.tables.codes(name, "labels")
    none = MISSING if table.kinds[name] in NUMERIC else ("",)
    return np.array([*(-1 if text.strip() in none else place for place, text in enumerate(texts)), -1], np.int64)[codes]


def _ids_of_steps(
    table: Table, free: Sequence[str], time: str | None, *, several: bool
) -> tuple[tuple[str, ...], bool]:
    """Where each row has a label, ids are columns that are called so; else each file is a sequence, or, where times
    repeat, the rows of one text without which they do not.
    """
    found = [name for name in free if called_id(name) and table.kinds[name] in ("text", "whole")]
    found = [name for name in found if stand_together(table.codes([name]))]
    if not found and not several and time is not None:
        found = _without_repeats(table, free, time)
    if not found:
        return (), several
    roles.refuse_guessing(table.choices, "--id", table.name)
    if len(found) > 1:
        raise roles.ambiguous_column("id", found, "--id", table.name)
    return (found[0],), False


def _without_repeats(table: Table, free: Sequence[str], time: str) -> list[str]:
    """The columns of texts in whose rows no time repeats, where times do. InputRefused if there is none."""
    times = table.codes([time])

    def repeats(codes: Ints) -> bool:
        return len(np.unique(np.stack([codes, times]), axis=1).T) < len(times)

    if not repeats(np.zeros_like(times)):
        return []
    texts = [name for name in free if table.kinds[name] == "text" and table.looks.get(name) is None][:_LOOKED_AT]
    found = [name for name in texts if not repeats(table.codes([name]))]
    if found or table.choices.zone is not None:  # in a zone, an hour comes twice when its clocks are put back
        return found
    raise InputRefused(
        f"the times in column {time!r} repeat, and nothing tells sequences apart",
        where=table.name,
        hint="say which column does: --id NAME, or several: --id A,B; if rows have no time: --time is another column",
    )


def stand_together(codes: Ints) -> bool:
    """Whether rows of one code come one after the other, more than one of them, and every row has one."""
    runs = int(np.count_nonzero(np.diff(codes))) + 1
    different = len(np.unique(codes))
    return bool(len(codes) and codes.min() >= 0 and runs == different and different < len(codes))


def _constant(labels: Ints, codes: Ints) -> bool:
    """Whether all labels of each code are the same."""
    known = labels >= 0
    pairs = np.unique(codes[known] * (int(labels.max(initial=0)) + 1) + labels[known])
    return len(pairs) == len(np.unique(codes[known]))


def _grouping(table: Table, free: Sequence[str], time: str | None) -> str | None:
    """The column that groups rows which come one after the other and share a label: one called like an id before one of
    texts, before one of whole numbers; and of several the finest.
    """
    labels = _labels(table)
    usable = [name for name in free if name != time and table.looks.get(name) is None]
    named = [name for name in usable if called_id(name) and table.kinds[name] in ("text", "whole")]
    texts = [name for name in usable if table.kinds[name] == "text"]
    whole = [name for name in usable if table.kinds[name] == "whole"]
    for names in (named, texts[:_LOOKED_AT], whole[:_LOOKED_AT]):
        codes = {name: table.codes([name]) for name in names}
        fit = [name for name in names if codes[name].max(initial=-1) > 0 and stand_together(codes[name])]
        fit = [name for name in fit if _constant(labels, codes[name])]
        if fit:
            finest = max(int(codes[name].max()) for name in fit)
            return next(name for name in fit if int(codes[name].max()) == finest)
    return None


def _counted(table: Table, ids: Sequence[str], *, by_file: bool) -> tuple[str | None, list[str]]:
    """The column of whole numbers that goes up by one from row to row of each sequence; None if none or several do."""
    codes = (
        table.tables.by_source()[0] if by_file else table.codes(ids) if ids else np.zeros(table.tables.rows, np.int64)
    )
    same = codes[1:] == codes[:-1]
    names = [name for name in table.free if table.kinds[name] == "whole" and name not in ids][:_LOOKED_AT]
    found = [name for name in names if _counts(table.steps(name), same)]
    if len(found) > 1:  # of steps of a sequence and numbers of rows, the former
        found = [name for name in found if not _counts(table.steps(name), np.ones_like(same))] or found
    if not found:
        return None, []
    if len(found) > 1:
        return None, _unclear(found, table)
    roles.refuse_guessing(table.choices, "--time", table.name)
    return found[0], []


def _counts(steps: Ints | None, same: Bools) -> bool:
    return steps is not None and bool(same.any()) and bool((np.diff(steps)[same] == 1).all())


def counts_rows(values: Floats) -> bool:
    """Whether a column numbers the rows of a table."""
    return len(values) >= _MANY_ROWS and bool((np.diff(values) == 1).all())


def refuse_senseless(choices: ColumnChoices, labels: LabelChoices) -> None:
    """UsageError where what is said of forecasts is said of labels."""
    for flag, given in (
        ("--target", choices.target),
        ("--past", choices.past),
        ("--future", choices.future),
        ("--static", choices.static),
        ("--wide", choices.wide),
    ):
        if given:
            hint = "say it with --label; other columns are channels" if flag == "--target" else "leave it out"
            raise UsageError(f"{flag} is for forecasts, and labels are asked for", hint=hint)
    if labels.row_per_sequence and choices.time is not None:
        raise UsageError("where each row is one sequence, it has no time column", hint="leave --time out")
