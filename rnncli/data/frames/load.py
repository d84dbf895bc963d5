"""Files and tables of frames to a panel: one channel whose values are rows of a block; or one clear refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.frames.ahead import with_ahead
from rnncli.data.frames.block import Block, Stored
from rnncli.data.frames.clips import in_clips
from rnncli.data.frames.files import holds_frames, read_files
from rnncli.data.frames.known import KnownFrames
from rnncli.data.frames.maps import map_names, spread_statics
from rnncli.data.frames.pixels import checked, refuse_missing_of_no_pixel, shown_grid
from rnncli.data.frames.rows import Sequences, in_sequences, read_frames
from rnncli.data.load import Loaded, of_usable_series
from rnncli.data.objects import Data
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.source import sources
from rnncli.data.tables import open_tables
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import FRAME_TYPES, ColumnChoices, Columns, FrameChoices

FRAME = "frame"  # what frames of files are called
_NAMED = "of a table, name the column of frames: --frame NAME, or --frame 'p*'"
_TRAINED = "the model was trained on files of frames: give such"


def load_frames(
    given: Data,
    choices: ColumnChoices | None = None,
    frames: FrameChoices | None = None,
    known: KnownFrames | None = None,
    ahead: Data | None = None,
) -> Loaded:
    """Read every source in `given` as sequences of frames: files of arrays or pictures, or a column, or columns.

    The panel's channels are of kind "frame", the target and maps beside it, and blocks keep the type in which pixels
    are stored. With `known`, columns and `frames` are those of a model, and `ahead` are tables of its maps that are
    known ahead. Raises InputRefused or SeriesRefused with the place of what is wrong, UsageError for choices that make
    no sense.
    """
    choices, frames = choices or ColumnChoices(), (known.choices if known else frames) or FrameChoices()
    refuse_senseless(choices)
    if known is not None and map_names(choices):
        raise UsageError("the model says which maps it sees", hint="leave --past, --future and --static out")
    in_files = frames.frame is None or holds_frames(given)
    if in_files and ahead is not None:
        raise UsageError(
            "--future-data goes with frames in a table, and these are files", hint="leave --future-data out"
        )
    loaded = _of_files(given, choices, frames, known) if in_files else _of_tables(given, choices, frames, known, ahead)
    return loaded if known is None else _as_known(loaded, known)


def frame_choices(options: Mapping[str, Any]) -> FrameChoices:
    """What options, which may be Python's, say about frames. UsageError where that makes no sense."""
    grid, missing = options.get("grid"), options.get("frame_missing")
    if grid is not None and not isinstance(grid, str):
        grid = "x".join(map(str, grid)) if isinstance(grid, Sequence) else str(grid)
    return FrameChoices(
        options.get("frame"),
        grid,
        options.get("frame_dtype"),
        options.get("frame_scale"),
        None if missing is None else str(missing),
    )


def _of_files(given: Data, choices: ColumnChoices, frames: FrameChoices, known: KnownFrames | None) -> Loaded:
    for flag, said in (("--time", choices.time), ("--id", choices.id), ("--as-of", choices.as_of)):
        if said:
            raise UsageError(f"files of frames have no columns, and {flag} is given", hint=f"leave {flag} out")
    of = choices if known is None else known.columns
    named = map_names(of)
    clips, form = read_files(given, frames, _NAMED if known is None else _TRAINED, named)
    shapes = {clip.stored.shape[1:]: clip for clip in reversed(clips)}
    if len(shapes) > 1:
        other = next(clip for clip in clips if clip.stored.shape[1:] != clips[0].stored.shape[1:])
        raise InputRefused(
            f"frames differ in size: here they are {shown_grid(other.stored.shape[1:])}, in {clips[0].where}"
            f" {shown_grid(clips[0].stored.shape[1:])}",
            where=other.where,
            hint="give frames of one size at a time",
        )
    twice = [clip for place, clip in enumerate(clips) if clip.name in {before.name for before in clips[:place]}]
    if twice:
        raise InputRefused(
            f"two sequences would be called {twice[0].name!r}", where=twice[0].where, hint="rename one of the files"
        )
    _refuse_other_type([(clip.stored, clip.where) for clip in clips], frames)
    target = frames.frame or FRAME
    sequences, time = in_clips(clips, [role for _, role in named])
    columns = Columns(time, None, target, time_type="integer" if time is None else "timestamp", by_file=True)
    columns = replace(columns, past=of.past, future=of.future, static=of.static)
    settled = replace(frames, grid=shown_grid(clips[0].stored.shape[1:]))
    block = Block(tuple(clip.stored for clip in clips), frames.frame_scale or 1.0, frames.missing)
    pairs = [(Channel(target, "frame", "target", shape=block.shape), block)]
    for place, (name, role) in enumerate(named):
        beside = Block(tuple(clip.maps[place] for clip in clips), 1.0, np.nan)
        checked(beside, FrameChoices(), f"{clips[0].where}, map {name!r}")
        pairs.append((Channel(name, "frame", role, shape=beside.shape), beside))
    return _loaded(sequences, columns, pairs, settled, form, clips[0].where)


def _refuse_other_type(found: Sequence[tuple[Stored, str]], frames: FrameChoices) -> None:
    """InputRefused where arrays are not of one type, or not of the one that was said."""
    said = found[0][0].dtype if frames.frame_dtype is None else np.dtype(FRAME_TYPES[frames.frame_dtype])
    for stored, where in found:
        if stored.dtype != said:
            raise InputRefused(
                f"frames are of type {stored.dtype.name}, not {said.name}",
                where=where,
                hint="a file says its type itself: leave --frame-dtype out, and give files of one type",
            )


def _of_tables(
    given: Data, choices: ColumnChoices, frames: FrameChoices, known: KnownFrames | None, ahead: Data | None
) -> Loaded:
    usual = None if known is None else known.columns.format
    told = choices if known is None else choices.as_told(known.columns)
    tables = open_tables(sources(given, choices, usual), told)
    found = read_frames(tables, choices, frames, known)
    found = found if ahead is None or known is None else with_ahead(found, ahead, choices, known)
    block = Block((found.stored,), frames.frame_scale or 1.0, frames.missing)
    pairs = tuple(zip(found.rows.channels, (block, *found.maps.blocks), strict=True))

    def made(rows: Any) -> Loaded:
        return _loaded(in_sequences(rows), rows.columns, pairs, found.frames, found.form, tables.name, zone=found.zone)

    return of_usable_series(found.rows, choices, made)


def _loaded(
    sequences: Sequences,
    columns: Columns,
    blocks: Sequence[tuple[Channel, Block]],
    frames: FrameChoices,
    form: str,
    where: str,
    *,
    zone: str | None = None,
) -> Loaded:
    """Sequences as a panel; the first of the blocks holds their frames, the others maps."""
    refuse_missing_of_no_pixel(blocks[0][1].dtype, frames)
    checked(blocks[0][1], frames, where)
    zeros, offsets = np.zeros(len(sequences.ids), np.int64), offsets_of(sequences.lengths)
    channels = tuple(channel for channel, _ in blocks)
    panel = Panel(
        sequences.ids,
        offsets,
        spread_statics(sequences.places, offsets, channels),
        zeros,
        zeros,
        Calendar(Frequency("step"), (1,), zone),
        channels,
        blocks={channel.name: block for channel, block in blocks},
    )
    return Loaded(panel, columns, sequences.notes, times=sequences.times, frames=frames, frame_form=form)


def _as_known(loaded: Loaded, known: KnownFrames) -> Loaded:
    """The data under the names of a model's channels. InputRefused where frames, or maps, are of another size."""
    channels, panel = (known.channel, *known.maps), loaded.panel
    for found, channel in zip(panel.channels, channels, strict=True):
        if found.shape != channel.shape:
            what = f"maps {channel.name!r}" if channel.role != "target" else "frames"
            raise InputRefused(
                f"{what} are {shown_grid(found.shape)}, and the model was trained on {shown_grid(channel.shape)}",
                hint="give frames and maps of the size of training",
            )
    pairs = zip(panel.channels, channels, strict=True)
    blocks = {channel.name: panel.blocks[found.name] for found, channel in pairs}
    return replace(loaded, panel=replace(panel, channels=channels, blocks=blocks))


def up_to_now(loaded: Loaded) -> Loaded:
    """The data without rows that only hold maps which are known ahead: nothing is learnt from them, or scored."""
    panel = loaded.panel
    if not loaded.columns.future:
        return loaded
    ends = panel.observed_ends()
    there = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths) < np.repeat(ends, panel.lengths)
    times = None if loaded.times is None else loaded.times[there]
    return replace(loaded, panel=panel.cut(ends), times=times)


def refuse_senseless(choices: ColumnChoices) -> None:
    """UsageError where what is said of forecasts of numbers is said of frames."""
    for flag, given in (
        ("--target", choices.target),
        ("--wide", choices.wide),
    ):
        if given:
            hint = "say it with --frame" if flag == "--target" else "leave it out"
            raise UsageError(f"{flag} is for forecasts, and frames are asked for", hint=hint)
