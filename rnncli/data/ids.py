"""The series of every row: from one column, from several, from the file, or one for all."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.tables import NO_ID, UGLY_ID, Fault, Faults, Tables
from rnncli.errors import InputRefused

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_NO_TEXT = re.compile("[\ud800-\udfff]")  # how Python shows bytes of a file name
_PART = re.compile(r"(?:[^/\\]|\\.)*", re.DOTALL)


def joined(parts: Sequence[str]) -> str:
    """One id from those of several columns: a/b, in which a slash of their own has a backslash before it."""
    return "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)


def parts_of(name: str, count: int) -> list[str]:
    """The ids of several columns from what `joined` made of them; one column's id is as it is."""
    if count == 1:
        return [name]
    found = [re.sub(r"\\(.)", r"\1", match) for match in _split(name)]
    return found if len(found) == count else [name, *[""] * (count - 1)]


def _split(name: str) -> list[str]:
    parts, at = [], 0
    while at <= len(name):
        match = _PART.match(name, at)
        assert match is not None
        parts.append(match[0])
        at = match.end() + 1
    return parts


def coded(tables: Tables, names: Sequence[str]) -> tuple[Ints, list[str]]:
    """The id of each row as a code into ids; -1 where one of the columns has none."""
    for name in names:
        tables.refuse_nested(name, "ids")
    columns = [tables.codes(name, "ids") for name in names]
    if len(columns) == 1:
        return columns[0]
    rows = np.stack([codes for codes, _ in columns], axis=1)
    empty = [np.array([not text for text in texts] + [True])[codes] for codes, texts in columns]
    missing = np.logical_or.reduce(empty)
    different, first, which = np.unique(rows[~missing], axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))  # in the order in which they first appear
    found = np.full(len(rows), -1, np.int64)
    found[~missing] = rank[which.reshape(-1)]
    texts = [texts for _, texts in columns]
    ids = [joined([texts[k][code] for k, code in enumerate(row)]) for row in different[np.argsort(first)].tolist()]
    return found, ids


def repeats(times: Ints, codes: Ints | None) -> int:
    """The number of rows that have the time of an earlier row of their series."""
    codes = np.zeros(len(times), np.int64) if codes is None else codes
    order = np.lexsort((times, codes))
    codes, times = codes[order], times[order]
    return int(np.count_nonzero((codes[1:] == codes[:-1]) & (times[1:] == times[:-1])))


def check_ids(codes: Ints, ids: Sequence[str], names: Sequence[str], tables: Tables, faults: Faults) -> None:
    """Ids are text without control characters, and every row has one; what is not so is a fault."""
    missing = codes < 0
    column = " or ".join(map(repr, names))
    if missing.any():
        error = InputRefused(
            f"there is no id (column {column})",
            where=tables.where(int(np.argmax(missing))),
            hint="every row needs its id",
        )
        faults.add(Fault(NO_ID, missing, error))
    for code, text in enumerate(ids):
        what = _wrong(text)
        if what:
            rows = codes == code
            error = InputRefused(what, where=tables.where(int(np.argmax(rows))), hint="rename this series")
            faults.add(Fault(UGLY_ID if text or not names else NO_ID, rows, error))


def _wrong(text: str) -> str:
    """What is wrong with an id; empty if nothing is."""
    if not text:
        return "an id is empty"
    if _CONTROL.search(text):
        return f"the id {text[:40]!r} has control characters"
    if _NO_TEXT.search(text):
        return f"the id {text[:40]!r} is not text in UTF-8"
    return ""
