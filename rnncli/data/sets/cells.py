"""The cells of a column of sets: lists, or texts of tokens with a separator between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Ints
from rnncli.data import arrow
from rnncli.data.numbertext import MISSING
from rnncli.data.panel import offsets_of, ranges
from rnncli.data.tables import Tables
from rnncli.errors import InputRefused


@dataclass(frozen=True)
class Sets:
    """S sets before there is a vocabulary: set s has the tokens members[offsets[s] : offsets[s + 1]], codes into the
    different ones, `types`, each once. `repeated` [S] counts those that a cell had again, and `separated` says whether
    cells were lists or any of them had a separator.
    """

    offsets: Ints
    members: Ints
    types: tuple[str, ...]
    repeated: Ints
    separated: bool = True

    def __len__(self) -> int:
        """The number of sets."""
        return len(self.offsets) - 1

    @property
    def sizes(self) -> Ints:
        """The number of tokens of each [S]."""
        return np.diff(self.offsets)

    def at(self, places: Ints) -> tuple[Ints, Ints]:
        """The tokens of the sets at some places [n], one set after the other: of each its number among these, and its
        code.
        """
        sizes = self.sizes[places]
        return np.repeat(np.arange(len(places)), sizes), self.members[ranges(self.offsets[places], sizes)]


def coded_sets(read: Tables, name: str, separator: str | None) -> tuple[Ints, Sets]:
    """A column as codes into sets [rows], -1 where a value is missing. InputRefused where cells are no sets.

    A list is a set, and so is a text with a separator between tokens: an empty one is the empty set. Of tables whose
    missing values are written out (CSV), a text that is one of these, such as NA, is missing.
    """
    if any(arrow.is_list(column) for column in read.column(name)):
        return _of_lists(read, name)
    if separator is None:
        raise _no_separator(read, name)
    return _of_texts(read, name, separator)


def _of_lists(read: Tables, name: str) -> tuple[Ints, Sets]:
    place: dict[str, int] = {}
    codes, sizes, members = list[Ints](), list[Ints](), list[Ints]()
    before, sets = 0, 0
    for column in read.column(name):
        if not arrow.is_list(column):
            raise InputRefused(
                f"column {name!r} holds lists in some tables and {column.type} in others",
                where=read.name,
                hint="write it alike in all of them",
            )
        counts, inside = arrow.lists(column)
        try:
            found, texts = arrow.codes(inside)
        except TypeError as error:
            raise InputRefused(
                f"the lists of column {name!r} hold values of type {error}, which are no tokens",
                where=read.name,
                hint="lists hold texts or whole numbers",
            ) from None
        here = np.array([*(place.setdefault(text, len(place)) for text in texts), -1], np.int64)[found]
        known = counts >= 0
        if (here < 0).any():
            row = int(np.searchsorted(np.cumsum(np.maximum(counts, 0)), int(np.argmax(here < 0)), side="right"))
            raise InputRefused(
                f"a token is missing in a list (column {name!r})",
                where=read.where(before + row),
                hint="take it out of the list, or name it",
            )
        codes.append(np.where(known, sets + np.cumsum(known) - 1, -1))
        sizes.append(counts[known])
        members.append(here)
        before, sets = before + len(counts), sets + int(known.sum())
    empty = np.zeros(0, np.int64)
    made = _distinct(np.concatenate([empty, *sizes]), np.concatenate([empty, *members]), tuple(place))
    return np.concatenate([empty, *codes]), made


def _of_texts(read: Tables, name: str, separator: str) -> tuple[Ints, Sets]:
    read.refuse_nested(name, "sets")
    codes, texts = read.codes(name, "sets")
    written_out = all(opened.number is not None for opened in read.opened)
    missing = [written_out and text.strip() in MISSING and bool(text.strip()) for text in texts]
    parts = [[token for part in text.split(separator) if (token := part.strip())] for text in texts]
    place: dict[str, int] = {}
    flat = [place.setdefault(token, len(place)) for part in parts for token in part]
    sets = _distinct(
        np.array([len(part) for part in parts], np.int64),
        np.array(flat, np.int64),
        tuple(place),
        separated=any(separator in text for text in texts),
    )
    return np.where(np.array([*missing, True])[codes], -1, codes), sets


def _distinct(sizes: Ints, members: Ints, types: tuple[str, ...], *, separated: bool = True) -> Sets:
    """Sets of these sizes, in which each token is once."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    kinds = max(len(types), 1)
    once = np.unique(owner * kinds + members)
    left = np.bincount(once // kinds, minlength=len(sizes)) if len(sizes) else sizes
    return Sets(offsets_of(left), once % kinds, types, sizes - left, separated)


def _no_separator(read: Tables, name: str) -> InputRefused:
    """The error about texts of which nobody said how they are split, with what seems to stand between tokens."""
    texts = read.codes(name, "sets")[1]
    likely = next((mark for mark in (",", ";", "|", " ") if any(mark in text for text in texts)), ",")
    shown = f"'{likely}'" if likely != "," else likely
    return InputRefused(
        f"column {name!r} holds no lists, and it is not said what stands between the tokens of a set",
        where=read.name,
        hint=f"say it: --set-separator {shown}",
    )
