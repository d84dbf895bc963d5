"""Frames as pictures: what was seen, what is forecast and what came, side by side in a PNG or one after the other in a
GIF.

Grey, or the colours of three channels or more; missing pixels are in a colour that survives colour-blindness (Okabe &
Ito 2008). Pillow is an extra, and is imported where a picture is made.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Inputs
from rnncli.data.frames.png import pillow

SUFFIXES = (".png", ".gif")
DRAWN = 3  # sequences of a picture
MOST = 12  # frames of a row, evenly chosen where there are more
SIDE, GAP, TITLE, LABEL = 72, 4, 18, 70  # pixels: of a small frame at least, between frames, above a row, before it
MISSING, FORECAST = (204, 121, 167), (213, 94, 0)
SECONDS = 0.2  # of a frame in a loop
_LETTERS = 60  # of a name
_SHARES = (0.5, 99.5)  # per cent of values that black and white stand for, so that one bright pixel leaves the others

Colours = NDArray[np.uint8]


@dataclass(frozen=True)
class Pictured:
    """A sequence to be drawn: past frames [T, height, width, channels], the forecast [K, ...], and what came where that
    is known, NaN where a pixel is missing.
    """

    name: str
    past: Inputs = field(repr=False)
    forecast: Inputs = field(repr=False)
    actual: Inputs | None = field(default=None, repr=False)


def picture(shown: Sequence[Pictured], kind: str) -> bytes:
    """A picture of `kind` png, strips of all sequences, or gif, a loop of the first one. The same frames give the same
    bytes. MissingDependency where Pillow is not installed.
    """
    return strips(shown) if kind == "png" else loop(shown[0])


def strips(shown: Sequence[Pictured]) -> bytes:
    """Rows of frames as PNG, of one sequence below those of another: the past, the forecast, and what came below it."""
    drawn = [_strip(one) for one in shown]
    width, height = max(one.width for one in drawn), sum(one.height for one in drawn)
    canvas = pillow().new("RGB", (width, height), (255, 255, 255))
    top = 0
    for one in drawn:
        canvas.paste(one, (0, top))
        top += one.height
    return _bytes(canvas, "PNG")


def _strip(shown: Pictured) -> Any:
    """The rows of one sequence, as Pillow's picture."""
    image = pillow()
    rows = [("past", shown.past, -len(shown.past) + 1), ("forecast", shown.forecast, 1)]
    rows += [] if shown.actual is None else [("truth", shown.actual, 1)]
    drawn = _Scale(shown)
    height, width = drawn.size
    columns = min(MOST, max(len(frames) for _, frames, _ in rows))
    size = (LABEL + columns * (width + GAP), TITLE + len(rows) * (height + TITLE + GAP))
    canvas = image.new("RGB", size, (255, 255, 255))
    pen = _pen(canvas)
    pen.text((GAP, 2), f"sequence {shown.name[:_LETTERS]}", fill=(0, 0, 0))
    for place, (label, frames, first) in enumerate(rows):
        top = TITLE + place * (height + TITLE + GAP)
        pen.text((GAP, top + TITLE + height // 2 - 6), label, fill=(0, 0, 0))
        for column, step in enumerate(_chosen(len(frames), columns)):
            left = LABEL + column * (width + GAP)
            pen.text((left, top + 3), f"{first + step:+d}" if first + step else "0", fill=(90, 90, 90))
            canvas.paste(image.fromarray(drawn.colours(frames[step])), (left, top + TITLE))
    return canvas


def loop(shown: Pictured) -> bytes:
    """The past and then the forecast, within a border, as GIF; beside it what came, where that is known."""
    image = pillow()
    drawn = _Scale(shown)
    whole = np.concatenate([shown.past, shown.forecast])
    beside = None if shown.actual is None else np.concatenate([shown.past, shown.actual])
    found = []
    for step, frame in enumerate(whole):
        colour = FORECAST if step >= len(shown.past) else (255, 255, 255)
        sides = [_bordered(drawn.colours(frame), colour)]
        sides += [] if beside is None else [_bordered(drawn.colours(beside[step]), (255, 255, 255))]
        found.append(image.fromarray(np.concatenate(sides, axis=1)).quantize(256, dither=0))
    data = io.BytesIO()
    found[0].save(data, "GIF", save_all=True, append_images=found[1:], duration=int(1000 * SECONDS), loop=0)
    return data.getvalue()


class _Scale:
    """From values to colours, and from small frames to larger ones."""

    def __init__(self, shown: Pictured) -> None:
        height, width, channels = shown.past.shape[1:]
        known = np.concatenate([shown.past.ravel(), (shown.forecast if shown.actual is None else shown.actual).ravel()])
        known = known[~np.isnan(known)]
        low, high = np.percentile(known, _SHARES).tolist() if known.size else (0.0, 1.0)
        if low == high and known.size:
            low, high = float(known.min()), float(known.max())
        self._low, self._range = low, (high - low) or 1.0
        self._larger = max(1, round(SIDE / max(height, width)))
        self._coloured = channels >= 3
        self.size = (height * self._larger, width * self._larger)

    def colours(self, frame: Inputs) -> Colours:
        """A frame [height, width, channels] as red, green and blue [.., .., 3]."""
        shares = np.clip((frame - self._low) / self._range, 0, 1)
        shares = shares[..., :3] if self._coloured else np.repeat(shares[..., :1], 3, axis=2)
        missing = np.isnan(shares).any(axis=2, keepdims=True)
        found = np.where(missing, np.array(MISSING), np.rint(np.nan_to_num(shares) * 255)).astype(np.uint8)
        return np.ascontiguousarray(found.repeat(self._larger, axis=0).repeat(self._larger, axis=1))


def _chosen(count: int, most: int) -> list[int]:
    """So many places of a row, evenly, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most)).tolist()})


def _bordered(colours: Colours, colour: tuple[int, int, int]) -> Colours:
    height, width, _ = colours.shape
    found = np.empty((height + 2 * GAP, width + 2 * GAP, 3), np.uint8)
    found[:] = colour
    found[GAP:-GAP, GAP:-GAP] = colours
    return found


def _pen(canvas: Any) -> Any:
    from PIL import ImageDraw

    return ImageDraw.Draw(canvas)


def _bytes(canvas: Any, kind: str) -> bytes:
    data = io.BytesIO()
    canvas.save(data, kind, optimize=True)
    return data.getvalue()
