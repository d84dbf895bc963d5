"""The channels of a labelled table: every column that is nothing else and says something, or those that were named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.channel import Channel
from rnncli.data.labels.told_apart import TIMES, counts_rows
from rnncli.data.readers.table import NUMERIC, Kind, Look
from rnncli.data.rows import CATEGORIES, new_categories, numbers_or_codes
from rnncli.data.tables import Faults, Tables
from rnncli.errors import InputRefused

WORDS = 20_000  # different texts of a channel at most; rarer ones are OTHER
FREE_TEXT = 0.9  # of the rows have a text of their own
MANY = 10  # sequences, each with a value of its own, which is then its name
_SHOWN = 5
_FREE, _NUMBERS, _NAMES = (
    "nearly every text is another one",
    "it numbers the rows",
    "it names each sequence, as an id does",
)
_FRACTIONS = "times that are no whole numbers; rows are in order"
_GUESSED = (_FREE, _NUMBERS, _NAMES, _FRACTIONS)


@dataclass
class Passed:
    """Columns that are no channels, by why."""

    over: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, why: str) -> None:
        """Note one."""
        self.over.setdefault(why, []).append(name)

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Each of them, and why."""
        return tuple((name, why) for why, names in self.over.items() for name in names)

    def notes(self) -> list[str]:
        """A line for each reason."""
        lines = []
        for why, names in self.over.items():
            some = ", ".join(map(repr, names[:_SHOWN]))
            more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            plural = "s" * (len(names) > 1)
            named = "; if wanted: --channels names all that are" if why in _GUESSED else ""
            lines.append(f"column{plural} {some}{more} passed over: {why}{named}")
        return lines


def channel_kinds(
    kinds: Mapping[str, Kind], looks: Mapping[str, Look], names: Sequence[str], passed: Passed, *, named: bool
) -> dict[str, Kind]:
    """How each column that may be a channel is to be read; those that cannot be one are passed over, unless `named`."""
    wanted: dict[str, Kind] = {}
    for name in names:
        kind, look = kinds[name], looks.get(name)
        if not named and (kind == "time" or look == "clock"):
            passed.add(name, "of times")
        elif not named and kind == "other":
            passed.add(name, "of lists or structures")
        else:
            wanted[name] = "number" if kind in (*NUMERIC, "empty") or look == "numbers" else "text"
    return wanted


def new_channels(
    tables: Tables, wanted: Mapping[str, Kind], series: Ints, passed: Passed, faults: Faults, *, named: bool
) -> tuple[list[Floats], list[Channel]]:
    """The values [n] of each channel, and what it is: see `found_channels`. InputRefused if no channel is left."""
    values, channels = found_channels(tables, wanted, series, passed, faults, named=named)
    if not channels:
        raise InputRefused(
            "no channel is left: every column is the label, the id, the time, or says nothing",
            where=tables.name,
            hint="give columns of numbers or categories, one value a step; or name them: --channels A,B",
        )
    return values, channels


def found_channels(
    tables: Tables, wanted: Mapping[str, Kind], series: Ints, passed: Passed, faults: Faults, *, named: bool
) -> tuple[list[Floats], list[Channel]]:
    """The values [n] of each channel, and what it is; `series` is the sequence of each row. Columns that say nothing
    are passed over.
    """
    values: list[Floats] = []
    channels: list[Channel] = []
    of_series = _Sequences(series)
    for name, kind in wanted.items():
        if kind == "text" and not named and not tables.is_text(name):
            passed.add(name, "of bytes that are no text")
            continue
        column, texts = numbers_or_codes(tables, name, kind, None, faults, WORDS, "channels")
        why = _useless(column, of_series, text=texts is not None, whole=kind == "number", named=named)
        if not why and not named and name.lower() in TIMES and of_series.rise(column):
            why = _FRACTIONS
        if why:
            passed.add(name, why)
            continue
        values.append(column)
        channels.append(Channel(name, "number" if texts is None else "category", "input", texts or ()))
    return values, channels


@dataclass
class _Sequences:
    """The sequence of each row, and what is asked of it again and again."""

    series: Ints

    def __post_init__(self) -> None:
        self.order = np.argsort(self.series, kind="stable")
        ordered = self.series[self.order]
        self.same: Bools = ordered[1:] == ordered[:-1]
        self.count = int(np.count_nonzero(~self.same)) + 1

    def rise(self, values: Floats) -> bool:
        """Whether a column rises from row to row of each sequence."""
        return bool(self.same.any() and (np.diff(values[self.order])[self.same] > 0).all())

    def names_them(self, values: Floats) -> bool:
        """Whether a column is constant in each of many sequences, and never the same in two."""
        if self.count < MANY or not self.same.any():
            return False
        ordered = values[self.order]
        if np.isnan(ordered).any() or (ordered[1:][self.same] != ordered[:-1][self.same]).any():
            return False
        return len(np.unique(ordered)) == self.count


def _useless(values: Floats, sequences: _Sequences, *, text: bool, whole: bool, named: bool) -> str:
    """Why a column says nothing; empty if it may. One that was named is believed, if it has two values."""
    seen = values[~np.isnan(values)]
    if not seen.size:
        return "without any value"
    if len(seen) == len(values) and len(seen) > 1 and (seen == seen[0]).all():
        return "constant"
    return "" if named else _is_name(values, sequences, text=text, whole=whole)


def _is_name(values: Floats, sequences: _Sequences, *, text: bool, whole: bool) -> str:
    """Why a column tells rows or sequences apart, and says nothing of them; empty if it does not."""
    seen = values[~np.isnan(values)]
    if text and _is_free(seen):
        return _FREE
    broken = not text and bool((seen != np.floor(seen)).any())
    if whole and not broken and counts_rows(values):
        return _NUMBERS
    if not broken and sequences.names_them(values):
        return _NAMES
    return ""


def _is_free(codes: Floats) -> bool:
    different = len(np.unique(codes)) + int(np.count_nonzero(codes < 0))
    return different > max(CATEGORIES, FREE_TEXT * len(codes))


def known_channels(
    tables: Tables, channels: Sequence[Channel], series: Ints, faults: Faults
) -> tuple[list[Floats], list[str]]:
    """The values [n] of a model's channels, and a line for each that has none, or categories that training had not."""
    values: list[Floats] = []
    notes: list[str] = []
    for channel in channels:
        known = channel.vocabulary if channel.kind == "category" else None
        kind: Kind = "number" if known is None else "text"
        column, _ = numbers_or_codes(tables, channel.name, kind, known, faults, WORDS, "channels")
        values.append(column)
        if len(column) and np.isnan(column).all():
            notes.append(f"column {channel.name!r} has no value: labels are read without it")
        elif known is not None:
            notes += new_categories(tables, channel.name, known, series, WORDS)
    return values, notes
