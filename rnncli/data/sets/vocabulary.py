"""The vocabulary of sets: which tokens are known, by falling frequency; and rows of zeros and ones by it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Ints
from rnncli.data.limits import Limits, Size
from rnncli.data.sets.cells import Sets
from rnncli.data.tokens.vocabulary import UNKNOWN
from rnncli.errors import InputRefused
from rnncli.spec import TokenChoices

MOST = 1_000  # tokens of a vocabulary, unless said otherwise: each is an input and an output of the network
NOBODY_KNOWS = -1  # in every column of a row whose set is missing
_LARGEST = 127  # unknown tokens of a set that are counted
_RARE = 3  # in a note
Hot = NDArray[np.int8]


def counts_of(sets: Sets, rows: Ints) -> Ints:
    """In how many rows, which have the sets of these codes [n], each token is: [types]."""
    return np.bincount(sets.at(rows[rows >= 0])[1], minlength=len(sets.types))


def new_vocabulary(sets: Sets, rows: Ints, choices: TokenChoices, where: str) -> tuple[str, ...]:
    """UNKNOWN, and the tokens by falling frequency, equal ones in the order of their texts. InputRefused where no token
    is left.
    """
    counts, least = counts_of(sets, rows), choices.min_count or 1
    usable = [code for code in np.flatnonzero(counts >= least).tolist() if sets.types[code] != UNKNOWN]
    if not usable:
        what = "every set is empty" if not counts.sum() else f"no token is seen {least} times"
        hint = "look at the column and at what stands between tokens" if not counts.sum() else "lower --min-count"
        raise InputRefused(f"the vocabulary is empty: {what}", where=where, hint=hint)
    ranked = sorted(usable, key=lambda code: (-counts[code], sets.types[code]))
    return (UNKNOWN, *(sets.types[code] for code in ranked[: (choices.vocabulary or MOST) - 1]))


def multi_hot(sets: Sets, rows: Ints, vocabulary: Sequence[str], limits: Limits, where: str) -> Hot:
    """The tokens of rows with sets of these codes [n]: [n, tokens]. 1 where a token of the vocabulary is in the set,
    and in column 0 the number of its tokens that are in none; NOBODY_KNOWS all over where a set is missing.
    InputRefused if that takes more memory than there is.
    """
    size = len(rows) * len(vocabulary)
    limits.check([Size(0, 0, size)], [where], where)
    place = {token: code for code, token in enumerate(vocabulary)}
    known = np.array([place.get(token, 0) for token in sets.types] or [0], np.int64)
    found: Hot = np.zeros((len(rows), len(vocabulary)), np.int8)
    there = np.flatnonzero(rows >= 0)
    of, token = sets.at(rows[there])
    row, column = there[of], known[token]
    found[row, column] = 1
    unknown = np.bincount(row[column == 0], minlength=len(rows))
    found[:, 0] = np.minimum(unknown, _LARGEST)
    found[rows < 0] = NOBODY_KNOWS
    return found


def told(sets: Sets, rows: Ints, documents: int, vocabulary: Sequence[str]) -> list[str]:
    """Lines about new sets: how many they are, how large, and what of them is missing or unknown."""
    counts, known = counts_of(sets, rows), set(vocabulary)
    there, missing = int(np.count_nonzero(rows >= 0)), int(np.count_nonzero(rows < 0))
    total = int(counts.sum())
    left = sum(int(counts[code]) for code, token in enumerate(sets.types) if token not in known)
    unknown = f", {left:,} of {total:,} unknown (seen too rarely, or beyond the vocabulary)" if left else ""
    many = f"{documents:,} document{'s' * (documents > 1)}"
    size = f"{total / max(there, 1):.3g} tokens a step"
    lines = [f"{len(rows):,} steps in {many}, {size}, {np.count_nonzero(counts):,} different{unknown}"]
    if missing:
        lines.append(f"of {missing:,} step{'s' * (missing > 1)} the set is missing: not learnt from, and not scored")
    return lines


def unknown_notes(sets: Sets, rows: Ints, vocabulary: Sequence[str]) -> list[str]:
    """A line about tokens that a model does not know, the commonest first."""
    counts, known = counts_of(sets, rows), set(vocabulary)
    fresh = [code for code, token in enumerate(sets.types) if token not in known and counts[code]]
    if not fresh:
        return []
    ranked = sorted(fresh, key=lambda code: (-counts[code], sets.types[code]))
    some = ", ".join(f"{sets.types[code][:40]!r} ({counts[code]:,})" for code in ranked[:_RARE])
    more = f" and {len(ranked) - _RARE:,} more" if len(ranked) > _RARE else ""
    many, total = int(counts[fresh].sum()), int(counts.sum())
    return [f"{many:,} of {total:,} tokens are not in the model's vocabulary: {some}{more}"]
