"""Files and tables of frames to a panel: one channel whose values are rows of a block; or one clear refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.frames.block import Block, Stored
from rnncli.data.frames.files import holds_frames, read_files
from rnncli.data.frames.known import KnownFrames
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
) -> Loaded:
    """Read every source in `given` as sequences of frames: files of arrays or pictures, or a column, or columns.

    The panel's one channel is of kind "frame", and its block keeps the type in which pixels are stored. With `known`,
    columns and `frames` are those of a model. Raises InputRefused or SeriesRefused with the place of what is wrong,
    UsageError for choices that make no sense.
    """
    choices, frames = choices or ColumnChoices(), (known.choices if known else frames) or FrameChoices()
    refuse_senseless(choices)
    in_files = frames.frame is None or holds_frames(given)
    loaded = (
        _of_files(given, choices, frames, hint=_NAMED if known is None else _TRAINED)
        if in_files
        else _of_tables(given, choices, frames, known)
    )
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


def _of_files(given: Data, choices: ColumnChoices, frames: FrameChoices, hint: str) -> Loaded:
    for flag, said in (("--time", choices.time), ("--id", choices.id), ("--as-of", choices.as_of)):
        if said:
            raise UsageError(f"files of frames have no columns, and {flag} is given", hint=f"leave {flag} out")
    clips, form = read_files(given, frames, hint)
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
    lengths = np.array([len(clip.stored) for clip in clips], np.int64)
    places = np.arange(lengths.sum(), dtype=np.float64)
    sequences = Sequences(tuple(clip.name for clip in clips), lengths, places, None, ())
    target = frames.frame or FRAME
    columns = Columns(None, None, target, time_type="integer", by_file=True)
    settled = replace(frames, grid=shown_grid(clips[0].stored.shape[1:]))
    block = Block(tuple(clip.stored for clip in clips), frames.frame_scale or 1.0, frames.missing)
    return _loaded(sequences, columns, block, settled, form, clips[0].where)


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


def _of_tables(given: Data, choices: ColumnChoices, frames: FrameChoices, known: KnownFrames | None) -> Loaded:
    usual = None if known is None else known.columns.format
    told = choices if known is None else choices.as_told(known.columns)
    tables = open_tables(sources(given, choices, usual), told)
    found = read_frames(tables, choices, frames, known)
    block = Block((found.stored,), frames.frame_scale or 1.0, frames.missing)

    def made(rows: Any) -> Loaded:
        return _loaded(in_sequences(rows), rows.columns, block, found.frames, found.form, tables.name, zone=found.zone)

    return of_usable_series(found.rows, choices, made)


def _loaded(
    sequences: Sequences,
    columns: Columns,
    block: Block,
    frames: FrameChoices,
    form: str,
    where: str,
    *,
    zone: str | None = None,
) -> Loaded:
    refuse_missing_of_no_pixel(block.dtype, frames)
    checked(block, frames, where)
    zeros = np.zeros(len(sequences.ids), np.int64)
    panel = Panel(
        sequences.ids,
        offsets_of(sequences.lengths),
        sequences.places[:, None],
        zeros,
        zeros,
        Calendar(Frequency("step"), (1,), zone),
        (Channel(columns.target, "frame", "target", shape=block.shape),),
        blocks={columns.target: block},
    )
    return Loaded(panel, columns, sequences.notes, times=sequences.times, frames=frames, frame_form=form)


def _as_known(loaded: Loaded, known: KnownFrames) -> Loaded:
    """The data under the name of a model's channel. InputRefused where frames are of another size."""
    found, shape = loaded.panel.channels[0], known.channel.shape
    if found.shape != shape:
        raise InputRefused(
            f"frames are {shown_grid(found.shape)}, and the model was trained on {shown_grid(shape)}",
            hint="give frames of the size of training",
        )
    panel = replace(
        loaded.panel, channels=(known.channel,), blocks={known.channel.name: loaded.panel.blocks[found.name]}
    )
    return replace(loaded, panel=panel)


def refuse_senseless(choices: ColumnChoices) -> None:
    """UsageError where what is said of forecasts of numbers is said of frames."""
    for flag, given in (
        ("--target", choices.target),
        ("--past", choices.past),
        ("--future", choices.future),
        ("--static", choices.static),
        ("--wide", choices.wide),
    ):
        if given:
            hint = "say it with --frame" if flag == "--target" else "leave it out"
            raise UsageError(f"{flag} is for forecasts, and frames are asked for", hint=hint)
