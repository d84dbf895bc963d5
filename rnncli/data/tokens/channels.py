"""What stands beside events in a table: channels of numbers and categories, what is constant in a case, and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.channel import Channel
from rnncli.data.labels.channels import WORDS, Passed, found_channels
from rnncli.data.readers.table import Kind
from rnncli.data.rows import new_categories, numbers_or_codes
from rnncli.data.tables import Faults, Tables

TIMES = (
    Channel("time", "number", "time"),
    Channel("time of the event before", "number", "time"),
    Channel("time of the first event", "number", "time"),
)
"""The last channels of events with times; of a first event the one before is itself. A time is a float64: in
microseconds it is exact up to the year 2255, and beyond that to a few of them.
"""
SINCE = (-3, -2)  # the places of a time and of the one before
_SHOWN = 5


def new_beside(
    tables: Tables, wanted: dict[str, Kind], series: Ints, passed: Passed, faults: Faults, *, named: bool
) -> tuple[list[Floats], list[Channel]]:
    """The values [n] of each channel beside events, and what it is; `series` is the document of each row. Categories
    are coded by the number of documents that have them, the most first.
    """
    values, channels = found_channels(tables, wanted, series, passed, faults, named=named)
    for place, channel in enumerate(channels):
        if channel.kind == "category":
            values[place], channels[place] = _ranked(values[place], channel, series)
    return values, channels


def documents_with(codes: Floats, series: Ints, categories: int) -> Ints:
    """How many documents have each category: [categories]."""
    known = codes >= 0
    pairs = np.unique(series[known] * categories + codes[known].astype(np.int64))
    return np.bincount(pairs % max(categories, 1), minlength=categories)


def _ranked(codes: Floats, channel: Channel, series: Ints) -> tuple[Floats, Channel]:
    counts = documents_with(codes, series, len(channel.vocabulary))
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order))
    place[order] = np.arange(len(order))
    known = codes >= 0
    ranked = codes.copy()
    ranked[known] = place[codes[known].astype(np.int64)]
    return ranked, replace(channel, vocabulary=tuple(channel.vocabulary[code] for code in order.tolist()))


def known_beside(
    tables: Tables, channels: Sequence[Channel], series: Ints, faults: Faults
) -> tuple[list[Floats], list[str]]:
    """The values [n] of a model's channels, and a line for each that has none, or categories that training had not."""
    values, notes = list[Floats](), list[str]()
    for channel in channels:
        known = channel.vocabulary if channel.kind == "category" else None
        kind: Kind = "number" if known is None else "text"
        column, _ = numbers_or_codes(tables, channel.name, kind, known, faults, WORDS, "channels")
        values.append(column)
        if len(column) and np.isnan(column).all():
            notes.append(f"column {channel.name!r} has no value: events are read without it")
        elif known is not None:
            notes += new_categories(tables, channel.name, known, series, WORDS)
    return values, notes


def read_as(channel: Channel) -> Kind:
    """How the column of a model's channel is read."""
    return "number" if channel.kind == "number" else "text"


def with_roles(values: Floats, channels: Sequence[Channel], offsets: Ints) -> tuple[Channel, ...]:
    """The channels [rows, channels] of ordered rows, with those that are constant in every document as static ones:
    they are known from its first row on, or nowhere in it.
    """
    several = bool((np.diff(offsets) > 1).any())
    constant = [several and not _changes(column, offsets).any() for column in values.T]
    return tuple(
        replace(one, role="static" if still else "input") for one, still in zip(channels, constant, strict=True)
    )


def _changes(column: Floats, offsets: Ints) -> Bools:
    """Which rows have a value that is not the one in the first row of their document: [rows]."""
    first = np.repeat(column[offsets[:-1]], np.diff(offsets))
    return np.asarray(~(np.isnan(column) | (column == first)))


def spread(values: Floats, channels: Sequence[Channel], offsets: Ints, ids: Sequence[str]) -> tuple[Floats, list[str]]:
    """The values [rows, channels] with what is static in a document as in its first row; and a line about each that is
    not what it was in training, and changes.
    """
    found, notes = values.copy(), list[str]()
    for place, channel in enumerate(channels):
        if channel.role != "static":
            continue
        changes = _changes(values[:, place], offsets)
        if changes.any():
            row = int(np.argmax(changes))
            name = ids[int(np.searchsorted(offsets, row, side="right")) - 1]
            notes.append(
                f"column {channel.name!r} was constant in every case of training, and changes in {name!r}: the first"
                " value counts"
            )
        found[:, place] = np.repeat(values[offsets[:-1], place], np.diff(offsets))
    return found, notes


def time_values(times: Ints, offsets: Ints) -> Floats:
    """The channels of TIMES of ordered rows: [rows, 3]."""
    time = times.astype(np.float64)
    before = np.concatenate([time[:1], time[:-1]])
    first = time[offsets[:-1]]
    before[offsets[:-1]] = first
    return np.stack([time, before, np.repeat(first, np.diff(offsets))], axis=1)


def with_ends(values: Floats, offsets: Ints, times: int) -> Floats:
    """The values with a row after each document, in which nothing stands but, in the last `times` channels, the times
    of an event that came with the last one.
    """
    last = offsets[1:] - 1
    ends = np.full((len(last), values.shape[1]), np.nan)
    if times:
        ends[:, -times:] = values[last, -times:]
        ends[:, SINCE[1]] = ends[:, SINCE[0]]
    return np.insert(values, offsets[1:], ends, axis=0)


def described(channels: Sequence[Channel]) -> str:
    """What stands beside events, in a few words; empty where nothing does."""
    parts = []
    for role, what in (("static", "constant in a case"), ("input", "channels")):
        names = [channel.name for channel in channels if channel.role == role]
        some = ", ".join(map(repr, names[:_SHOWN])) + (f" and {len(names) - _SHOWN:,} more" * (len(names) > _SHOWN))
        parts += [f"{what}: {some}"] if names else []
    return "; ".join(parts)
