"""Which column is time, id, target, covariate: what the user said, else what can only be meant, else an error."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from rnncli.data.isotime import ISO_DATE
from rnncli.data.readers.table import NUMERIC, Kind, Look
from rnncli.data.targets import of_targets, refuse_twice, said_targets
from rnncli.data.timetext import called_like_time
from rnncli.errors import InputRefused, UsageError
from rnncli.near import near
from rnncli.spec import ColumnChoices, Columns

TIME, ID, TARGET = "ds", "unique_id", "y"
Kinds = Mapping[str, Kind]
Looks = Mapping[str, Look]
_NUMBERED = 4  # columns of whole numbers that are looked at


def known_columns(kinds: Kinds, columns: Columns, choices: ColumnChoices, where: str) -> Columns:
    """The columns of a model, found again in a table; `choices` rename them. InputRefused if one is missing."""
    fresh = renamed(columns, choices)
    refuse_missing(needed(fresh), kinds, where)
    return fresh


def needed(columns: Columns) -> list[str]:
    """The columns that a table must have to be read by these."""
    covariates = (*columns.past, *columns.future, *columns.static)
    return [*columns.times, *columns.ids, *columns.target_columns, *covariates]


def ahead_columns(kinds: Kinds, columns: Columns, choices: ColumnChoices, where: str) -> Columns:
    """A model's columns in a table that only holds what is known ahead: time, id and the future covariates."""
    fresh = replace(renamed(columns, choices), past=(), static=())
    refuse_missing([*fresh.times, *fresh.ids, *fresh.future], kinds, where)
    return fresh


def renamed(columns: Columns, choices: ColumnChoices) -> Columns:
    """A model's columns under the names that the user said now. UsageError if there are as many as before no more."""
    if choices.id and len(choices.id) != len(columns.ids):
        told, had = len(choices.id), len(columns.ids) or "no"
        raise UsageError(
            f"--id names {told} column{'s' * (told != 1)}, and the model was trained with {had}",
            hint="name as many, in the same order",
        )
    ids = choices.id or columns.ids
    fresh = replace(
        columns,
        time=columns.time if choices.time is None else choices.time,
        clock=choices.clock or columns.clock,
        id=ids[0] if ids else None,
        more_ids=ids[1:],
        time_format=choices.time_format or columns.time_format,
    )
    return of_targets(fresh, choices.target)


def refuse_missing(needed: Sequence[str], kinds: Kinds, where: str) -> None:
    """InputRefused for the first column of a model that a table lacks."""
    for name in needed:
        if name not in kinds:
            raise missing_column(
                name, kinds, where, "the model was trained with it; name another: --time --id --target"
            )


def described(columns: Columns, every: str = "") -> str:
    """What the columns were taken for, in one line; `every` is the step of time, if it is known."""
    style = columns.time_format or ""
    said = [style] if style and not style.startswith(ISO_DATE) else []
    said += [f"every {every.removeprefix('1 ')}"] if every else []
    time = " and ".join(map(repr, columns.times)) + (f" ({', '.join(said)})" if said else "")
    each = " a target" if columns.targets else ""
    ids = f"id {' and '.join(map(repr, columns.ids))}" if columns.ids else f"one series{each}"
    ids = f"one series a file{each and ' and target'}" if columns.by_file else ids
    ids = "one series a column" if columns.wide else ids
    return f"time {time}, {ids}{said_targets(columns)}"


def resolved(kinds: Kinds, choices: ColumnChoices) -> ColumnChoices:
    """The choices with each column that was named: "a,b" names two, unless a column is called so."""
    targets = tuple(part for name in choices.target for part in _parts(name, kinds))
    if choices.wide and len(targets) > 1:
        raise UsageError(
            "--wide makes every column of numbers a series, and --target names some",
            hint="leave --wide out: each column that --target names is a series",
        )
    choices = replace(choices, target=targets)
    ids = tuple(part for name in choices.id for part in _parts(name, kinds))
    times = _parts(choices.time, kinds) if choices.time is not None else []
    if len(times) > 2:
        raise UsageError(f"--time names {len(times)} columns", hint="name one, or one of dates and one of times of day")
    if len(times) < 2:
        return replace(choices, id=ids)
    return replace(choices, id=ids, time=times[0], clock=times[1])


def _parts(name: str, kinds: Kinds) -> list[str]:
    if name in kinds or "," not in name:
        return [name]
    return [part.strip() for part in name.split(",") if part.strip()] or [name]


def named_columns(kinds: Kinds, choices: ColumnChoices, where: str) -> None:
    """InputRefused if a column that the user named does not exist; UsageError if one has two roles."""
    covariates = (*choices.past, *choices.future, *choices.static)
    roles = [choices.time, choices.clock, *choices.id, *choices.target, *covariates]
    given = [name for name in roles if name is not None]
    for name in given:
        if name not in kinds:
            raise missing_column(name, kinds, where, "")
    refuse_twice(given)


def time_column(kinds: Kinds, looks: Looks, choices: ColumnChoices, where: str) -> str:
    """The one date-like column, or else the one whole-number column.

    A text column that looks like dates in a style that is not known, or is called like one, comes before whole numbers:
    reading it says what is wrong with it.
    """
    free = _free(kinds, choices)
    if choices.time is not None:
        return choices.time
    refuse_guessing(choices, "--time", where)
    if TIME in free and kinds[TIME] in ("time", "whole", "text"):  # texts that are none are named when they are read
        return TIME
    whole = [name for name in free if kinds[name] == "whole" and name not in (TARGET, ID)]
    for found in (
        [name for name in free if kinds[name] == "time"],
        _unread(free, looks, whole),
        [name for name in whole if looks.get(name) == "dates"],
        whole,
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise ambiguous_column("time", found, "--time", where)
    raise InputRefused(
        "no column looks like a time (dates, or whole numbers)",
        where=where,
        hint=f"say which it is: --time NAME, perhaps with --time-format; {_columns(kinds)}",
    )


def _unread(free: Sequence[str], looks: Looks, whole: Sequence[str]) -> list[str]:
    """What looks like times that nobody knows; none where a column of whole numbers alone is called like a time."""
    found = [name for name in free if looks.get(name) == "dateish" or _only_clock(name, looks)]
    named = any(called_like_time(name) for name in whole)
    return [] if named and not any(called_like_time(name) for name in found) else found


def _only_clock(name: str, looks: Looks) -> bool:
    return looks.get(name) == "clock" and called_like_time(name)


def refuse_clocks(named: Columns, clocks: Sequence[str], where: str) -> None:
    """InputRefused where dates repeat within series, if a column of times of day has no role yet."""
    free = [name for name in clocks if name not in (*named.past, *named.future, *named.static, *named.ids)]
    if not free:
        return
    raise InputRefused(
        f"the dates in column {named.time!r} repeat, and column {free[0]!r} holds times of day",
        where=where,
        hint=f"if both together are the time: --time {named.time},{free[0]}",
    )


def passed_over(kinds: Kinds, taken: Collection[str], looks: Looks) -> list[str]:
    """A line about text columns that have no role, and one about those in which nothing was seen."""
    empty = [name for name, kind in kinds.items() if kind == "empty" and name not in taken]
    others = f" and {len(empty) - 1:,} more" if len(empty) > 1 else ""
    nothing = [f"nothing stands in column {name!r}{others} as far as was looked: not looked at" for name in empty[:1]]
    left = [name for name, kind in kinds.items() if kind == "text" and name not in taken]
    if not left:
        return nothing
    names = ", ".join(map(repr, left[:5])) + (f" and {len(left) - 5:,} more" if len(left) > 5 else "")
    ids = [name for name in left if looks.get(name) != "clock"]
    more = f"; if it tells series apart: --id {ids[0]}" if ids else ""
    plural = len(left) > 1
    return [f"text column{'s' * plural} {names} {'are' if plural else 'is'} not looked at{more}", *nothing]


def no_series(kinds: Kinds, taken: Collection[str]) -> list[str]:
    """A line about columns of a wide table that are no series."""
    left = [name for name in kinds if name not in taken]
    names = ", ".join(map(repr, left[:5])) + (f" and {len(left) - 5:,} more" if len(left) > 5 else "")
    return [f"columns that hold no numbers are no series: {names}"] if left else []


def target_column(
    kinds: Kinds, looks: Looks, taken: Sequence[str | None], choices: ColumnChoices, where: str, told: str = ""
) -> str:
    """`y`, or the one column of numbers, or nearly so, that has no other role; `told` ends a hint."""
    if choices.target:
        return choices.target[0]
    refuse_guessing(choices, "--target", where)
    free = [name for name in _free(kinds, choices) if name not in taken]
    if TARGET in free:
        return TARGET
    numbers = [*_numbers(free, kinds), *(name for name in free if looks.get(name) == "numbers")]
    if len(numbers) == 1:
        return numbers[0]
    if not numbers:
        raise InputRefused(
            "no column of numbers is left to be the target",
            where=where,
            hint=f"say which it is: --target NAME (a decimal comma: --decimal ,); {_columns(kinds)}",
        )
    raise ambiguous_column(
        "target", numbers, "--target", where, f"; for one series a column: --wide, or --target with several{told}"
    )


def id_candidates(kinds: Kinds, looks: Looks, taken: Sequence[str | None], choices: ColumnChoices) -> list[str]:
    """Columns that may tell series apart: `unique_id`, or all text columns that have no other role."""
    if choices.strict:
        return []
    free = [name for name in _free(kinds, choices) if name not in taken]
    if ID in free:
        return [ID]
    return [name for name in free if kinds[name] == "text" and looks.get(name) not in ("clock", "numbers")]


def numbered(kinds: Kinds, looks: Looks, taken: Sequence[str | None], choices: ColumnChoices) -> list[str]:
    """Columns of whole numbers that may tell series apart, which is asked about and never guessed."""
    free = [name for name in _free(kinds, choices) if name not in taken and kinds[name] == "whole"]
    return [name for name in free if looks.get(name) is None][:_NUMBERED] if ID not in kinds else []


def refuse_numbered(names: Sequence[str], repeats: Callable[[Sequence[str]], int], where: str) -> None:
    """InputRefused where times repeat, and one of the columns, or all together, tell series apart."""
    if not names or not repeats(()):
        return
    single = next((name for name in names if not repeats([name])), None)
    if single is None and repeats(names):
        return
    found = [single] if single is not None else list(names)
    raise InputRefused(
        f"times repeat, and whole numbers tell series apart (column {' and '.join(map(repr, found))})",
        where=where,
        hint=f"if they are ids: --id {','.join(found)}",
    )


def id_column(candidates: Sequence[str], repeats: Callable[[Sequence[str]], int], where: str) -> str | None:
    """The text column without which times repeat and with which they do not; None if times do not repeat.

    `repeats(names)` counts the rows whose time was seen before in the same series, which these columns tell apart.
    """
    if ID in candidates:
        return ID
    if not candidates or not repeats(()):  # without candidates, what contradicts is found by its time later
        return None
    counts = {name: repeats([name]) for name in candidates}
    found = [name for name in candidates if counts[name] == 0]
    if len(found) == 1:
        return found[0]
    if found:
        raise ambiguous_column("id", found, "--id", where)
    fewest = min(counts.values())  # rows that repeat in full may remain
    best = [name for name in candidates if counts[name] == fewest]
    together = len(candidates) > 1 and not repeats(candidates)
    if len(best) == 1 and fewest < repeats(()) / 2 and not together:
        return best[0]
    raise InputRefused(
        "times repeat, and no column of text tells series apart",
        where=where,
        hint=f"say which columns do together: --id {','.join(candidates)}"
        if together
        else f"say which column does: --id NAME (of {', '.join(candidates)})",
    )


def wide_columns(kinds: Kinds, looks: Looks, times: Sequence[str], choices: ColumnChoices, where: str) -> list[str]:
    """The series of a wide table: every numeric column but time."""
    if choices.past or choices.future or choices.static or choices.id:
        raise UsageError("a wide table has no id column and no covariates", hint="use the long form: id, time, value")
    others = [name for name in kinds if name not in times]
    usable = _numbers(others, kinds)
    found = [name for name in others if name in usable or kinds[name] == "empty" or looks.get(name) == "numbers"]
    if not found:
        raise InputRefused("no column of numbers is left to be a series", where=where, hint=_columns(kinds))
    return found


def _numbers(names: Iterable[str], kinds: Kinds) -> list[str]:
    """The columns of numbers; of flags only if there are no others."""
    found = [name for name in names if kinds[name] in NUMERIC]
    return [name for name in found if kinds[name] != "flag"] or found


def _free(kinds: Kinds, choices: ColumnChoices) -> list[str]:
    covariates = (*choices.past, *choices.future, *choices.static)
    given = {choices.time, choices.clock, *choices.id, *choices.target, *covariates}
    return [name for name in kinds if name not in given]


def refuse_guessing(choices: ColumnChoices, flag: str, where: str) -> None:
    """InputRefused under --strict, where a column was not named."""
    if choices.strict:
        raise InputRefused(f"{flag} is not given, and --strict forbids guessing", where=where, hint=f"add {flag} NAME")


def missing_column(name: str, kinds: Kinds, where: str, hint: str = "") -> InputRefused:
    """The error about a column that is not there, with the one that was meant perhaps."""
    close = near(name, kinds)
    meant = f"did you mean {close!r}? " if close else ""
    return InputRefused(
        f"there is no column {name!r}", where=where, hint=f"{meant}{_columns(kinds)}{'; ' * bool(hint)}{hint}"
    )


def ambiguous_column(role: str, found: Sequence[str], flag: str, where: str, more: str = "") -> InputRefused:
    """The error about several columns that could have one role."""
    names = ", ".join(found[:12]) + (" ..." if len(found) > 12 else "")
    return InputRefused(
        f"more than one column could be the {role}: {names}", where=where, hint=f"say which it is: {flag} NAME{more}"
    )


def _columns(kinds: Kinds) -> str:
    names = ", ".join(list(kinds)[:20]) + (" ..." if len(kinds) > 20 else "")
    return f"the columns are {names}"
