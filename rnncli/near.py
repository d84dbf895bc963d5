"""What was meant perhaps: the one name that a typing mistake away, and never merely the most similar one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

SHARE = 3  # a mistake at every third letter, at most
LONGEST = 64  # letters of a name that somebody typed


def near(typed: str, known: Iterable[str]) -> str | None:
    """The known name that was mistyped, None if there is none: at most a third of the shorter name's letters are
    wrong, left out, added or swapped with a neighbour, and its digits are the same. Capitals do not count.
    """
    wanted = _folded(typed)
    names = {name: _folded(name) for name in known}
    found = {name: distance(wanted, other, _most(wanted, other)) for name, other in names.items()}
    close = [(mistakes, -_alike(wanted, names[name]), name) for name, mistakes in found.items() if mistakes is not None]
    return min(close, key=lambda one: one[:2])[2] if close else None


def near_file(typed: str, known: Iterable[str]) -> str | None:
    """The known file name that was mistyped, with the same suffix but for its letters' order: `sales.cvs`."""
    stem, suffix = _parted(typed)
    same = {name: _parted(name) for name in known}
    by_stem = {name: other for name, (other, end) in same.items() if _same_suffix(suffix, end, same_stem=stem == other)}
    close = near(stem, by_stem.values())
    return next((name for name, other in by_stem.items() if other == close), None)


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """A hint: the name that was perhaps meant, or else all names that there are."""
    names = list(known)
    close = near(typed, names)
    return f"did you mean {close}?" if close else f"choose from: {', '.join(names)}"


def distance(one: str, other: str, most: int) -> int | None:
    """Letters to add, to leave out, to replace or to swap with their neighbour; None if more than `most`."""
    if abs(len(one) - len(other)) > most or sorted(filter(str.isdigit, one)) != sorted(filter(str.isdigit, other)):
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, theirs in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != theirs))
            swapped = i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == theirs
            row.append(min(cost, last[j - 2] + 1) if swapped else cost)
    return row[-1] if row[-1] <= most else None


def _most(one: str, other: str) -> int:
    """The number of mistakes that there may be; of two letters none may be wrong, but a third may be missing."""
    shorter = min(len(one), len(other))
    return max(shorter // SHARE, int(shorter > 1 and len(one) != len(other)))


def _alike(one: str, other: str) -> int:
    """With how many letters both begin."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(min(one, other)))


def _folded(text: str) -> str:
    return text[:LONGEST].casefold().replace("_", "-")


def _parted(name: str) -> tuple[str, str]:
    """Stem and suffixes: `sales.csv.gz` is `sales` and `.csv.gz`."""
    path = PurePath(name.casefold())
    end = "".join(path.suffixes[-2:]) if path.suffix in (".gz", ".zst") else path.suffix
    return path.name.removesuffix(end), end


def _same_suffix(one: str, other: str, *, same_stem: bool) -> bool:
    """Whether two suffixes are one; letters in another order, or no suffix at all, are a mistake of their own."""
    return one == other or (same_stem and (not one or sorted(one) == sorted(other)))
