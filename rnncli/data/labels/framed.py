"""Labelled tables whose sequences are of frames: beside each row's label stands the frame that it is of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnncli.data import columns as roles
from rnncli.data.channel import Channel
from rnncli.data.frames.block import Block
from rnncli.data.frames.cells import BYTES
from rnncli.data.frames.columns import pixel_columns
from rnncli.data.frames.pixels import checked, refuse_missing_of_no_pixel, shown_grid
from rnncli.data.frames.rows import frames_of
from rnncli.data.labels.known import KnownLabels
from rnncli.data.labels.rows import LabelRows, known_rows, labelled_rows, new_heads
from rnncli.data.tables import Faults, Tables
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices, FrameChoices, LabelChoices


def new_framed(
    tables: Tables, choices: ColumnChoices, labels: LabelChoices, frames: FrameChoices, faults: Faults
) -> LabelRows:
    """The rows of a table to learn labels of clips from: channel 1 is the row of a block that holds a frame."""
    _refuse_senseless(labels, frames)
    kinds = tables.kinds()
    choices = roles.resolved(kinds, choices)
    pixels = _pixels(frames, tables)
    heads = new_heads(tables, choices, labels, faults, [name for name in (frames.frame, *pixels) if name])
    found = labelled_rows(tables, heads, {}, choices, labels, faults)
    return _with_frames(found, pixels, choices, frames)


def known_framed(tables: Tables, choices: ColumnChoices, known: KnownLabels, faults: Faults) -> LabelRows:
    """The rows of a table whose clips a model is to label. InputRefused where its frames are not as training's were."""
    frames, (channel,) = known.frames, known.inputs
    assert frames is not None
    pixels = _pixels(frames, tables, "the model was trained with it")
    found = known_rows(tables, choices, replace(known, channels=known.channels[:1]), faults)
    found = _with_frames(found, pixels, choices, frames)
    shape = found.rows.channels[1].shape
    if shape != channel.shape:
        raise InputRefused(
            f"frames are {shown_grid(shape)}, and the model was trained on {shown_grid(channel.shape)}",
            where=tables.name,
            hint="give frames of the size of training",
        )
    return found


def _refuse_senseless(labels: LabelChoices, frames: FrameChoices) -> None:
    """UsageError where what is said of labels does not fit frames, or nothing says which column these are."""
    if frames.frame is None:
        raise UsageError("which column holds the frames is not said", hint="name it: --frame NAME, or --frame 'p*'")
    if labels.channels:
        raise UsageError("a label of frames is read from these alone", hint="leave --channels out")
    if labels.row_per_sequence:
        raise UsageError("a row is a frame, and a sequence has several", hint="leave --row-per-sequence out")
    if frames.frame == labels.label:
        raise UsageError(f"column {frames.frame!r} was given two roles", hint="name each column once")


def _pixels(frames: FrameChoices, tables: Tables, hint: str = "") -> list[str]:
    """The columns of pixels, none where one column has whole frames. InputRefused where there is no such column."""
    assert frames.frame is not None
    kinds = tables.kinds()
    if frames.frame in kinds:
        return []
    try:
        return pixel_columns(frames.frame, kinds, tables.name)
    except InputRefused:
        raise roles.missing_column(frames.frame, kinds, tables.name, hint) from None


def _with_frames(found: LabelRows, pixels: list[str], choices: ColumnChoices, frames: FrameChoices) -> LabelRows:
    """The rows with the place of their frame behind the label, and the block that holds it."""
    rows = found.rows
    stored, places, form = frames_of(rows.tables, pixels, choices, frames)
    block = Block((stored,), frames.frame_scale or 1.0, frames.missing)
    refuse_missing_of_no_pixel(block.dtype, frames)
    checked(block, frames, rows.tables.name)
    name = frames.frame or ""
    kind = frames.frame_dtype or ("uint8" if form == BYTES else None)
    settled = replace(frames, grid=shown_grid(block.shape), frame_dtype=kind)
    channel = Channel(name, "frame", "input", shape=block.shape)
    values = np.stack([rows.values[:, 0], places], axis=1)
    rows = replace(rows, values=values, channels=(rows.channels[0], channel))
    return replace(found, rows=rows, blocks={name: block}, frames=settled, frame_form=form)
