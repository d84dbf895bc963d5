"""What bytes and numbers of a frame are: their type, their grid, and whether they look as they should."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np

from rnncli.data.frames.block import PIECE, Block, Stored, is_missing
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import FRAME_TYPES, FrameChoices

LARGEST = 1e30  # values whose squares overflow float32 cannot be trained on
_SEVERAL = (1, 3, 4)  # channels of a grid that may be meant
_LOOKED_AT = 16  # frames, over all of them, that are looked at for the order of their bytes
_ROUGH, _SMOOTHER = 0.6, 0.5  # neighbours differ by so many standard deviations; by so much of that when swapped
_MULTIPLES = 0.9  # of numbers that are multiples of 256
_TYPES = "uint8, uint16, int16, float16, float32"


def type_of_bytes(size: int, frames: FrameChoices, where: str) -> np.dtype[Any]:
    """The type of the pixels of a frame of `size` bytes: what was said, or bytes where the grid has one for each.

    InputRefused where that is not known.
    """
    if frames.frame_dtype is not None:
        return np.dtype(FRAME_TYPES[frames.frame_dtype])
    if not frames.shape or size == np.prod(frames.shape):
        return np.dtype(np.uint8)
    each = size / int(np.prod(frames.shape))
    if each in (2, 4):
        fit = {2: "uint16, int16 or float16", 4: "float32"}[int(each)]
        raise InputRefused(
            f"a frame has {each:g} bytes a pixel, which say nothing of themselves",
            where=where,
            hint=f"say what they are: --frame-dtype {fit}",
        )
    return np.dtype(np.uint8)


def grid_of(numbers: int, frames: FrameChoices, where: str, what: str = "numbers") -> tuple[int, int, int]:
    """Height, width and channels of a frame of so many numbers. InputRefused, with grids that fit, where the grid that
    was said does not, or none was.
    """
    shape = frames.shape
    if not shape:
        raise InputRefused(
            f"frames have {numbers:,} {what} each, and no grid is said", where=where, hint=_fitting(numbers)
        )
    if np.prod(shape) != numbers:
        raise InputRefused(
            f"a grid of {frames.grid} has {np.prod(shape):,} {what}, and frames have {numbers:,}",
            where=where,
            hint=_fitting(numbers),
        )
    height, width, channels = (*shape, 1)[:3]
    return height, width, channels


def _fitting(numbers: int) -> str:
    """Which grids would fit, those nearest to a square."""
    found = []
    for channels in _SEVERAL:
        if numbers % channels == 0:
            each = numbers // channels
            height = next((side for side in range(isqrt(each), 0, -1) if each % side == 0), 1)
            if height > 1 or each == 1:
                found.append(f"{height}x{each // height}" + (f"x{channels}" if channels > 1 else ""))
    return f"which of these is it: --grid {' or '.join(found)}?" if found else "check the column, and --frame-dtype"


def checked_grid(shape: tuple[int, ...], frames: FrameChoices, where: str) -> tuple[int, int, int]:
    """The shape [height, width] or [height, width, channels] that frames have of themselves. InputRefused where another
    grid was said.
    """
    height, width, channels = (*shape, 1)[:3]
    if frames.shape and (*frames.shape, 1)[:3] != (height, width, channels):
        raise InputRefused(
            f"frames are of {shown_grid((height, width, channels))}, and a grid of {frames.grid} is said",
            where=where,
            hint="leave --grid out, or give other frames",
        )
    return height, width, channels


def shown_grid(shape: tuple[int, ...]) -> str:
    """A grid as it is said: HxW, or HxWxC where there are several channels."""
    return "x".join(map(str, shape[:2] if shape[2:] == (1,) else shape))


def refuse_unusable(kind: np.dtype[Any], where: str) -> None:
    """InputRefused for a type that no pixels have."""
    if kind.kind not in "buif" or kind.itemsize > 8:
        raise InputRefused(f"frames are of type {kind}, which are no pixels", where=where, hint=f"known are {_TYPES}")


def checked(block: Block, frames: FrameChoices, where: str) -> None:
    """InputRefused for pixels that are not finite, or too large; for bytes that seem to be in the other order."""
    _refuse_swapped(block, frames, where)
    if block.dtype.kind == "f" or abs(block.scale) > 1:
        _refuse_wild(block, where)


def refuse_missing_of_no_pixel(kind: np.dtype[Any], frames: FrameChoices) -> None:
    """UsageError where no pixel of this type can be what is said to be missing."""
    missing = frames.missing
    if missing is None or kind.kind == "f":
        return
    limits = (0, 1) if kind.kind == "b" else (np.iinfo(kind).min, np.iinfo(kind).max)
    if not (float(missing).is_integer() and limits[0] <= missing <= limits[1]):
        raise UsageError(
            f"no pixel of type {kind.name} is {frames.frame_missing}",
            hint="--frame-missing is the value as it is stored, before --frame-scale",
        )


def _refuse_wild(block: Block, where: str) -> None:
    some = max(1, PIECE // (block.dtype.itemsize * int(np.prod(block.shape))))
    for begin in range(0, len(block), some):
        stored = block.stored(np.arange(begin, min(begin + some, len(block))))
        known = np.ones(stored.shape, np.bool_) if block.missing is None else ~is_missing(stored, block.missing)
        wild = known & ~(np.abs(stored.astype(np.float64) * block.scale) <= LARGEST)
        if wild.any():
            frame, row, column, channel = (int(place) for place in np.argwhere(wild)[0])
            raise _wild(stored[frame, row, column, channel], (begin + frame, row, column), where)


def _wild(value: Any, place: tuple[int, int, int], where: str) -> InputRefused:
    at = f"pixel ({place[1]}, {place[2]}) of frame {place[0] + 1:,}"
    if np.isnan(value):
        return InputRefused(
            f"{at} is not a number", where=where, hint="where that means missing, say so: --frame-missing nan"
        )
    return InputRefused(
        f"{at} is {float(value):g}, infinite or too large to compute with",
        where=where,
        hint="if that means missing: --frame-missing; if bytes are in another order: --frame-dtype",
    )


def _refuse_swapped(block: Block, frames: FrameChoices, where: str) -> None:
    """InputRefused where neighbouring pixels are much more alike with the bytes in the other order."""
    said = frames.frame_dtype
    if said is None or said.endswith(("-le", "-be")) or block.dtype.itemsize == 1:
        return
    some = np.unique(np.linspace(0, len(block) - 1, _LOOKED_AT).astype(np.int64))
    stored = block.stored(some)
    if looks_swapped(stored):
        raise InputRefused(
            f"frames look as if their bytes were in the other order than {said} has them",
            where=where,
            hint=f"say the order: --frame-dtype {said}-be; where it is right as it is: --frame-dtype {said}-le",
        )


def looks_swapped(stored: Stored) -> bool:
    """Whether stored numbers [n, height, width, channels] look as if the bytes of each were in the other order.

    Pixels are smooth: in the wrong order neighbours are as different as any two, and floats are very large or small.
    """
    other = stored.byteswap()
    if stored.dtype.kind == "f":
        return not _ordinary(stored) and _ordinary(other)
    known = stored[stored != 0]
    if known.size and np.count_nonzero(known % 256 == 0) > _MULTIPLES * known.size:  # small numbers, swapped
        return True
    here, there = _roughness(stored), _roughness(other)
    return here > _ROUGH and there < _SMOOTHER * here


def _ordinary(stored: Stored) -> bool:
    """Whether all floats that are not 0 are of a size that pixels have."""
    size = np.abs(stored[np.isfinite(stored) & (stored != 0)].astype(np.float64))
    least, most = (6e-8, 6e4) if stored.dtype.itemsize == 2 else (1e-12, 1e12)
    rough = stored.dtype.itemsize == 2 and _roughness(np.nan_to_num(stored.astype(np.float64))) > _ROUGH
    return bool(np.isfinite(stored).all() and not rough and ((size > least) & (size < most)).all())


def _roughness(stored: Stored) -> float:
    """By how many standard deviations neighbours in a row differ on average."""
    values = stored.astype(np.float64)
    deviation = values.std()
    return float(np.abs(np.diff(values, axis=2)).mean() / deviation) if deviation > 0 and values.shape[2] > 1 else 0.0
