"""Maps that are known ahead from a table of their own, joined to frames behind the last one of each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncli.data import columns as roles
from rnncli.data.frames.block import Block
from rnncli.data.frames.known import KnownFrames
from rnncli.data.frames.maps import Maps, pixels_of, read_maps
from rnncli.data.frames.rows import FrameRows
from rnncli.data.known_ahead import join_ahead
from rnncli.data.labels.rows import bare_rows, load_columns
from rnncli.data.objects import Data
from rnncli.data.rows import Rows
from rnncli.data.source import sources
from rnncli.data.tables import Faults, Tables, open_tables
from rnncli.data.times import Wall
from rnncli.data.tokens.events import on_time
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices


def with_ahead(found: FrameRows, given: Data, choices: ColumnChoices, known: KnownFrames) -> FrameRows:
    """Frames with rows of the maps that `given` tables have for the time after them. UsageError where rows have no
    times to be joined by, or no map is known ahead; InputRefused or SeriesRefused where the tables cannot be joined.
    """
    if not known.columns.future:
        raise UsageError(
            "--future-data is given, and the model has no maps that are known ahead",
            hint="leave it out, or train with --future",
        )
    if not known.columns.times:
        raise UsageError(
            "--future-data is joined by time, and the frames of the model have none",
            hint="give rows with the maps and an empty frame in the data themselves",
        )
    found_sources = sources(given, choices, known.columns.format)
    tables = open_tables(found_sources, choices.as_told(known.columns))
    later, maps = _read(tables, found, choices, known)
    blocks = _joined(found.rows.channel_names[1:], found.maps.blocks, maps, tables.name)
    rows = join_ahead(found.rows, _agreed(found.rows, later, blocks), found.zone)
    return replace(found, rows=rows, maps=replace(found.maps, blocks=blocks))


def _read(tables: Tables, found: FrameRows, choices: ColumnChoices, known: KnownFrames) -> tuple[Rows, Maps]:
    """The rows of the tables with the places of their maps, in blocks that begin where those of the frames' end."""
    kinds = tables.kinds()
    columns = replace(roles.renamed(known.columns, roles.resolved(kinds, choices)), past=(), static=())
    hint = "the model was trained with it"
    for name in (*columns.times, *columns.ids):
        if name not in kinds:
            raise roles.missing_column(name, kinds, tables.name, hint)
    for name in columns.future:
        pixels_of(name, kinds, tables.name, hint)
    heads = load_columns(tables, dict.fromkeys((*columns.times, *columns.ids), "text"), choices, Faults())
    rows = bare_rows(heads, kinds, columns, Wall(choices.zone or known.zone, told=False), Faults())
    maps = read_maps(heads, choices, columns, found.frames, found.stored)
    names, values = found.rows.channel_names, np.full((heads.rows, len(found.rows.channels)), np.nan)
    for place, channel in enumerate(maps.channels):
        at = names.index(channel.name)
        values[:, at] = len(found.maps.blocks[at - 1]) + maps.places[:, place]
    rows, _ = on_time(replace(rows, values=values, channels=found.rows.channels), choices, known)
    return rows, maps


def _agreed(rows: Rows, later: Rows, blocks: Sequence[Block]) -> Rows:
    """The rows that come ahead, with the places of the same maps where the data have these for that time too.
    SeriesRefused where they have others.
    """
    keys = zip(rows.codes.tolist(), rows.times.tolist(), strict=True)
    own = {(rows.ids[code], time): row for row, (code, time) in enumerate(keys)}
    values = later.values.copy()
    for row, (code, time) in enumerate(zip(later.codes.tolist(), later.times.tolist(), strict=True)):
        here = own.get((later.ids[code], time))
        if here is None or not np.isnan(rows.values[here, 0]):  # what was is not looked at
            continue
        for at in np.flatnonzero(~np.isnan(values[row]) & ~np.isnan(rows.values[here])).tolist():
            one, other = blocks[at - 1].gather(np.array([rows.values[here, at], values[row, at]]))
            if not np.array_equal(one, other, equal_nan=True):
                raise SeriesRefused(
                    f"series {later.ids[code]!r} has two maps {rows.channel_names[at]!r} of one time",
                    later.ids[code],
                    where=later.where(row),
                    hint="correct one of them: the data and the future data must agree after the last frame",
                )
            values[row, at] = rows.values[here, at]
    return replace(later, values=values)


def _joined(names: Sequence[str], blocks: Sequence[Block], maps: Maps, where: str) -> tuple[Block, ...]:
    """The blocks, those that go on with what comes ahead. InputRefused where that is stored in another way."""
    more = {channel.name: block for channel, block in zip(maps.channels, maps.blocks, strict=True)}
    return tuple(
        _one(name, block, more[name], where) if name in more else block
        for name, block in zip(names, blocks, strict=True)
    )


def _one(name: str, block: Block, more: Block, where: str) -> Block:
    stored = [(one.shape, one.scale, str(one.missing)) for one in (block, more)]
    if stored[0] != stored[1]:
        raise InputRefused(
            f"the maps in column {name!r} are stored in another way than those beside the frames",
            where=where,
            hint="store both as bytes of one type, or both as lists of numbers",
        )
    return replace(block, parts=(*block.parts, *more.parts))
