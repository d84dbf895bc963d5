"""What the network sees of maps beside frames, at each of its steps: what was known then, and what is known ahead."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats, Inputs, Ints
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel
from rnncli.tasks.frames.patches import patched
from rnncli.tasks.frames.spec import FrameSpec, Map

LOOKED_AT = 256  # maps that say what values are like


def maps_of(panel: Panel) -> tuple[Map, ...]:
    """How each map of a panel is seen: what centres and scales it, by up to 256 of them, spread evenly."""
    return tuple(
        _map(channel, panel.blocks[channel.name].gather(_some(panel.values[:, place])))
        for place, channel in enumerate(panel.channels)
        if place
    )


def _some(rows: Floats) -> Floats:
    there = rows[~np.isnan(rows)]
    return there[np.unique(np.linspace(0, max(len(there) - 1, 0), min(len(there), LOOKED_AT)).astype(np.int64))]


def _map(channel: Channel, found: Inputs) -> Map:
    known = found[~np.isnan(found)].astype(np.float64)
    center, scale = (float(known.mean()), float(known.std())) if known.size else (0.0, 1.0)
    return Map(channel.name, channel.role, channel.shape[2], center, scale or 1.0)


def seen_maps(panel: Panel, spec: FrameSpec, series: Ints, first_row: Ints, context: int) -> list[Inputs]:
    """The maps as the network sees them, in patches [n, steps, rows, columns, numbers] each.

    A step that sees frame t is asked for frame t + 1: beside it stand the maps of t that are known up to now, and those
    of t + 1 that are known ahead, or stay as they are; ahead of the last frame the latter alone.
    """
    return [_seen(panel, spec, place, one, series, first_row, context) for place, one in enumerate(spec.maps, 1)]


def _seen(panel: Panel, spec: FrameSpec, place: int, one: Map, series: Ints, first_row: Ints, context: int) -> Inputs:
    ahead = one.role != "past"
    steps = context if not ahead else context + spec.horizon - 1
    stays = one.role == "static"
    values = panel.frames(series, first_row * 0 if stays else first_row + ahead, 1 if stays else steps, place)
    values = np.repeat(values, steps, axis=1) if stays else values
    z = (values - np.float32(one.center)) / np.float32(one.scale)
    missing = np.isnan(z)
    seen = patched(np.arcsinh(np.where(missing, 0, z)), spec)
    none = missing.reshape(*z.shape[:2], -1).mean(axis=2, dtype=np.float32)[:, :, None, None, None]
    seen = np.concatenate([seen, np.broadcast_to(none, (*seen.shape[:-1], 1))], axis=-1)
    blank = np.zeros((len(seen), context + spec.horizon - 1 - steps, *seen.shape[2:]), np.float32)
    blank[..., -1] = 1
    return np.concatenate([seen, blank], axis=1)
