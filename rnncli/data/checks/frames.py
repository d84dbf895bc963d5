"""Sequences of frames that are short, repeated or still, and pixels that are missing, constant or saturated."""

from __future__ import annotations

import numpy as np

from rnncli.data.checks.finding import SHOWN, Example, Finding, Severity
from rnncli.data.checks.framed import SeenFrames
from rnncli.data.frames.maps import short_of_maps

LENGTHS = 10  # the longest sequence has so many times the frames of the shortest
MANY = 0.2  # share of frames, or of pixels, that should not be missing
_SOME = 256  # frames that are looked at at once
SATURATED = 0.001  # share of pixels that are as large as can be


def frame_missing(seen: SeenFrames) -> Finding | None:
    """Frames that are null, or that are not there by the times of those around them."""
    panel = seen.loaded.panel
    none = np.isnan(panel.targets)
    if not none.any():
        return None
    share = float(none.mean())
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    count = np.bincount(owner[none], minlength=len(panel))
    found = np.flatnonzero(count)
    says = [f"{count[s]:,} of {panel.lengths[s]:,}" for s in found[:SHOWN].tolist()]
    severity: Severity = "warning" if share > MANY else "note"
    remedy = "nothing needs to be done: the network is told which are; where many are, look at --time and --id"
    what = f"frames are missing, {share:.1%} of all"
    return Finding(severity, what, int(none.sum()), seen.of_sequences(found.tolist(), says), remedy)


def map_missing(seen: SeenFrames) -> Finding | None:
    """Maps that are not there beside frames."""
    panel = seen.loaded.panel
    none = np.isnan(panel.values[:, 1:])
    if not none.any():
        return None
    names = [channel.name for channel in panel.channels[1:]]
    says = [f"map {names[place]!r}: {none[:, place].mean():.0%}" for place in np.flatnonzero(none.any(axis=0)).tolist()]
    severity: Severity = "warning" if float(none.mean(axis=0).max()) > MANY else "note"
    remedy = "nothing needs to be done: the network is told which are; where many are, look at the columns"
    examples = tuple(Example(says=text) for text in says[:SHOWN])
    return Finding(severity, "maps are missing", int(none.sum()), examples, remedy)


def maps_end_early(seen: SeenFrames) -> Finding | None:
    """Sequences whose maps that are known ahead do not reach over the horizon of a model."""
    if seen.waiting is None or seen.horizon is None:
        return None
    panel = seen.waiting.panel
    short = short_of_maps(panel, panel.observed_ends(), seen.horizon)
    if not short:
        return None
    found = [panel.ids.index(one.series) for one in short]
    remedy = "add a row with the maps and an empty frame for each frame to come; to score a model none is needed"
    what = "sequences have no maps for all frames to come"
    return Finding("error", what, len(found), seen.of_sequences(found), remedy)


def sequence_short(seen: SeenFrames) -> Finding | None:
    """Sequences of one frame, or of no more frames than are to be forecast: an error where none is longer."""
    least = (seen.horizon or 1) + 1
    found = np.flatnonzero(seen.lengths < least)
    if not len(found):
        return None
    says = [f"{seen.lengths[s]:,} frame{'s' * bool(seen.lengths[s] != 1)}" for s in found[:SHOWN].tolist()]
    what = "sequences have one frame" if least == 2 else f"sequences have less than {least:,} frames"
    severity: Severity = "error" if len(found) == len(seen.ids) else "warning"
    remedy = "look at what tells sequences apart (--id NAME), or forecast fewer frames: --horizon"
    return Finding(severity, what, len(found), seen.of_sequences(found.tolist(), says), remedy)


def lengths_differ(seen: SeenFrames) -> Finding | None:
    """The longest sequence has many times the frames of the shortest."""
    low, high = int(np.argmin(seen.lengths)), int(np.argmax(seen.lengths))
    if seen.lengths[high] < LENGTHS * seen.lengths[low]:
        return None
    says = [f"{seen.lengths[s]:,} frame{'s' * bool(seen.lengths[s] != 1)}" for s in (low, high)]
    remedy = "nothing needs to be done; if some are broken off, leave them out"
    return Finding("note", "sequences are of very different length", 1, seen.of_sequences((low, high), says), remedy)


def sequence_constant(seen: SeenFrames) -> Finding | None:
    """Sequences in which every frame is the first one."""
    found = np.flatnonzero(seen.totals.still & (seen.lengths > 1))
    if not len(found):
        return None
    remedy = "leave them out if the camera or the sensor stood still: that nothing moves is learnt from them"
    return Finding("warning", "nothing moves in sequences", len(found), seen.of_sequences(found.tolist()), remedy)


def sequence_repeated(seen: SeenFrames) -> Finding | None:
    """Sequences that are an earlier one, pixel by pixel: one may be learnt from, and one scored."""
    first: dict[bytes, int] = {}
    pairs = [(first.setdefault(digest, s), s) for s, digest in enumerate(seen.totals.digests)]
    pairs = [(one, other) for one, other in pairs if one != other]
    if not pairs:
        return None
    says = [f"as {seen.ids[one]!r}" for one, _ in pairs[:SHOWN]]
    remedy = "leave repeated ones out: one may be learnt from, and the other scored"
    examples = seen.of_sequences([other for _, other in pairs], says)
    return Finding("warning", "sequences repeat another one", len(pairs), examples, remedy)


def sequence_learnt(seen: SeenFrames) -> Finding | None:
    """Sequences of ids that the model learnt from; what has no id is not known by it."""
    columns = seen.loaded.columns
    found = [s for s, name in enumerate(seen.ids) if name in seen.learnt]
    if not found or not (columns.ids or columns.by_file):
        return None
    what = "sequences have ids that the model learnt from"
    remedy = "leave them out where the model is to be scored; if they are others, give them ids of their own"
    return Finding("warning", what, len(found), seen.of_sequences(found), remedy)


def pixel_missing(seen: SeenFrames) -> Finding | None:
    """Pixels that are missing: a warning where they are many."""
    missing, frames = seen.totals.missing, len(seen.rows)
    if not missing.any():
        return None
    share, always = float(missing.sum() / (missing.size * frames)), int(np.count_nonzero(missing == frames))
    place = np.unravel_index(int(missing.argmax()), missing.shape)
    most = f"pixel ({place[0]}, {place[1]}) in {int(missing.max()) / frames:.0%} of the frames"
    what = f"pixels are missing, {share:.1%} of all" + (f"; {always:,} of the grid always are" if always else "")
    remedy = "nothing needs to be done where it is so; look at --frame-missing where these are values"
    return Finding(
        "warning" if share > MANY else "note", what, int(missing.sum()), (Example(says=f"the most: {most}"),), remedy
    )


def pixel_constant(seen: SeenFrames) -> Finding | None:
    """Pixels of the grid that have one value in all frames: an error of the data where all are so."""
    found = np.argwhere(seen.totals.low == seen.totals.high)
    if not len(found):
        return None
    every = len(found) == seen.totals.low.size
    says = [f"({row}, {column}) is {seen.totals.low[row, column, channel]:g}" for row, column, channel in found[:SHOWN]]
    share = f"{len(found) / seen.totals.low.size:.0%} of the grid"
    remedy = "nothing needs to be done; if they are a border that never changes, a smaller grid trains faster"
    if every:
        remedy = "look at --frame, --frame-dtype and --frame-scale: there is nothing to learn"
    examples = tuple(Example(says=text) for text in says)
    return Finding("error" if every else "note", f"pixels never change, {share}", len(found), examples, remedy)


def pixel_saturated(seen: SeenFrames) -> Finding | None:
    """Many pixels that are the largest number that their type holds, as where a sensor can measure no more."""
    block = seen.block
    if block.dtype.kind not in "iu":
        return None
    largest, count, total = np.iinfo(block.dtype).max, 0, 0
    if largest == block.missing or len(seen.rows) == 0:
        return None
    values: set[float] = set()
    for begin in range(0, len(seen.rows), _SOME):
        stored = block.stored(seen.rows[begin : begin + _SOME])
        count, total = count + int(np.count_nonzero(stored == largest)), total + stored.size
        values = values if len(values) > 2 else values | set(np.unique(stored).tolist())
    if count <= SATURATED * total or len(values) <= 2:
        return None
    what = f"pixels are {largest:,}, the most that {block.dtype.name} holds: {count / total:.1%} of all"
    remedy = "if that means missing, say so: --frame-missing; else what was measured may have been more"
    return Finding("note", what, count, (), remedy)
