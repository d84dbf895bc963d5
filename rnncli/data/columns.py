"""Which column is time, id, target, covariate: what the user said, else what can only be meant, else an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from rnncli.data.readers.table import NUMERIC, Kind
from rnncli.errors import InputRefused, UsageError
from rnncli.near import near
from rnncli.spec import ColumnChoices, Columns

TIME, ID, TARGET = "ds", "unique_id", "y"
Kinds = Mapping[str, Kind]


def known_columns(kinds: Kinds, columns: Columns, choices: ColumnChoices, where: str) -> Columns:
    """The columns of a model, found again in a table; `choices` rename them. InputRefused if one is missing."""
    fresh = _renamed(columns, choices)
    needed = [fresh.time, fresh.id, None if fresh.wide else fresh.target, *fresh.past, *fresh.future, *fresh.static]
    _refuse_missing(needed, kinds, where)
    return fresh


def ahead_columns(kinds: Kinds, columns: Columns, choices: ColumnChoices, where: str) -> Columns:
    """The same in a table that only holds what is known ahead: time, id and the future covariates."""
    fresh = replace(_renamed(columns, choices), past=(), static=())
    _refuse_missing([fresh.time, fresh.id, *fresh.future], kinds, where)
    return fresh


def _renamed(columns: Columns, choices: ColumnChoices) -> Columns:
    return replace(
        columns,
        time=choices.time or columns.time,
        id=choices.id or columns.id,
        target=choices.target or columns.target,
        time_format=choices.time_format or columns.time_format,
    )


def _refuse_missing(needed: Sequence[str | None], kinds: Kinds, where: str) -> None:
    for name in needed:
        if name is not None and name not in kinds:
            raise _missing(name, kinds, where, "the model was trained with it; name another: --time --id --target")


def named_columns(kinds: Kinds, choices: ColumnChoices, where: str) -> None:
    """InputRefused if a column that the user named does not exist; UsageError if one has two roles."""
    roles = [choices.time, choices.id, choices.target, *choices.past, *choices.future, *choices.static]
    given = [name for name in roles if name is not None]
    for name in given:
        if name not in kinds:
            raise _missing(name, kinds, where, "")
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"column {twice!r} was given two roles", hint="name each column once")


def time_column(kinds: Kinds, choices: ColumnChoices, where: str) -> str:
    """The one date-like column, or else the one whole-number column."""
    free = _free(kinds, choices)
    if choices.time is not None:
        return choices.time
    _guessing(choices, "--time", where)
    if TIME in free and kinds[TIME] in ("time", "whole", "text"):  # texts that are none are named when they are read
        return TIME
    dates = [name for name in free if kinds[name] == "time"]
    if len(dates) == 1:
        return dates[0]
    whole = [name for name in free if kinds[name] == "whole" and name not in (TARGET, ID)]
    found = dates or whole
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputRefused(
            "no column looks like a time (dates, or whole numbers)",
            where=where,
            hint=f"say which it is: --time NAME, perhaps with --time-format; {_columns(kinds)}",
        )
    raise _ambiguous("time", found, "--time", where)


def target_column(kinds: Kinds, taken: Sequence[str | None], choices: ColumnChoices, where: str) -> str:
    """`y`, or the one numeric column that has no other role."""
    if choices.target is not None:
        return choices.target
    _guessing(choices, "--target", where)
    free = [name for name in _free(kinds, choices) if name not in taken]
    if TARGET in free:
        return TARGET
    numbers = _numbers(free, kinds)
    if len(numbers) == 1:
        return numbers[0]
    if not numbers:
        raise InputRefused(
            "no column of numbers is left to be the target",
            where=where,
            hint=f"say which it is: --target NAME (a decimal comma: --decimal ,); {_columns(kinds)}",
        )
    raise _ambiguous("target", numbers, "--target", where, "; for one series a column: --wide")


def id_candidates(kinds: Kinds, taken: Sequence[str | None], choices: ColumnChoices) -> list[str]:
    """Columns that may tell series apart: the one named, `unique_id`, or all text columns that have no other role."""
    if choices.id is not None:
        return [choices.id]
    if choices.strict:
        return []
    free = [name for name in _free(kinds, choices) if name not in taken]
    return [ID] if ID in free else [name for name in free if kinds[name] == "text"]


def id_column(
    candidates: Sequence[str],
    named: str | None,
    repeats: Callable[[str | None], int],
    where: str,
) -> str | None:
    """The text column without which times repeat and with which they do not; None if times do not repeat.

    `repeats(name)` counts the rows whose time was seen before in the same series.
    """
    if named is not None:
        return named
    if ID in candidates:
        return ID
    if not candidates or not repeats(None):  # without candidates, what contradicts is found by its time later
        return None
    counts = {name: repeats(name) for name in candidates}
    found = [name for name in candidates if counts[name] == 0]
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous("id", found, "--id", where)
    fewest = min(counts.values())  # rows that repeat in full may remain
    best = [name for name in candidates if counts[name] == fewest]
    if len(best) == 1 and fewest < repeats(None) / 2:
        return best[0]
    raise InputRefused(
        "times repeat, and no column of text tells series apart",
        where=where,
        hint=f"say which column does: --id NAME (of {', '.join(candidates)})",
    )


def wide_columns(kinds: Kinds, time: str, choices: ColumnChoices, where: str) -> list[str]:
    """The series of a wide table: every numeric column but time."""
    if choices.past or choices.future or choices.static or choices.id:
        raise UsageError("a wide table has no id column and no covariates", hint="use the long form: id, time, value")
    others = [name for name in kinds if name != time]
    usable = _numbers(others, kinds)
    found = [name for name in others if name in usable or kinds[name] == "empty"]
    if not found:
        raise InputRefused("no column of numbers is left to be a series", where=where, hint=_columns(kinds))
    return found


def _numbers(names: Iterable[str], kinds: Kinds) -> list[str]:
    """The columns of numbers; of flags only if there are no others."""
    found = [name for name in names if kinds[name] in NUMERIC]
    return [name for name in found if kinds[name] != "flag"] or found


def _free(kinds: Kinds, choices: ColumnChoices) -> list[str]:
    given = {choices.time, choices.id, choices.target, *choices.past, *choices.future, *choices.static}
    return [name for name in kinds if name not in given]


def _guessing(choices: ColumnChoices, flag: str, where: str) -> None:
    if choices.strict:
        raise InputRefused(f"{flag} is not given, and --strict forbids guessing", where=where, hint=f"add {flag} NAME")


def _missing(name: str, kinds: Kinds, where: str, hint: str) -> InputRefused:
    close = near(name, kinds)
    meant = f"did you mean {close!r}? " if close else ""
    return InputRefused(
        f"there is no column {name!r}", where=where, hint=f"{meant}{_columns(kinds)}{'; ' * bool(hint)}{hint}"
    )


def _ambiguous(role: str, found: Sequence[str], flag: str, where: str, more: str = "") -> InputRefused:
    names = ", ".join(found[:12]) + (" ..." if len(found) > 12 else "")
    return InputRefused(
        f"more than one column could be the {role}: {names}", where=where, hint=f"say which it is: {flag} NAME{more}"
    )


def _columns(kinds: Kinds) -> str:
    names = ", ".join(list(kinds)[:20]) + (" ..." if len(kinds) > 20 else "")
    return f"the columns are {names}"
