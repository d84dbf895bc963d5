"""Frames that are pictures: the PNG files of a folder, in the order of the numbers in their names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.data.frames.arrays import Clip
from rnncli.data.frames.block import Stored
from rnncli.data.frames.pixels import checked_grid, shown_grid
from rnncli.data.frames.room import room
from rnncli.data.source import Source
from rnncli.errors import InputRefused, MissingDependency
from rnncli.spec import FrameChoices

CHANNELS = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1}  # of pictures of a mode, as Pillow calls it
_MODES = {"1": "black and white", "L": "grey", "LA": "grey with alpha", "RGB": "colours", "RGBA": "colours with alpha"}
_DIGITS = re.compile(r"(\d+)")


def in_order(path: Path) -> list[Any]:
    """What paths are sorted by: numbers in a name count as numbers, so that 2 comes before 10."""
    parts = _DIGITS.split(path.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def read_pictures(name: str, paths: Sequence[Path], frames: FrameChoices) -> Clip:
    """The pictures of a sequence. InputRefused where they differ in size or mode; MissingDependency without Pillow."""
    where = str(paths[0].parent)
    kinds = [_kind(path) for path in paths]
    for path, kind in zip(paths, kinds, strict=True):
        if kind != kinds[0]:
            raise InputRefused(
                f"pictures differ: this one is {_described(kind)}, {paths[0].name} is {_described(kinds[0])}",
                where=str(path),
                hint="give pictures of one size and mode",
            )
    (width, height), mode = kinds[0]
    if mode not in CHANNELS:
        raise InputRefused(
            f"pictures of mode {mode} are no frames",
            where=str(paths[0]),
            hint=f"convert them to grey (L) or colours (RGB); known are {', '.join(CHANNELS)}",
        )
    grid = checked_grid((height, width, CHANNELS[mode]), frames, where)
    stored = room((len(paths), *grid), np.uint16 if mode == "I;16" else np.uint8)
    for place, path in enumerate(paths):
        stored[place] = _pixels(path).reshape(grid)
    return Clip(name, stored, where)


def _described(kind: tuple[tuple[int, int], str]) -> str:
    (width, height), mode = kind
    return f"{shown_grid((height, width))} in {_MODES.get(mode, mode)}"


def _kind(path: Path) -> tuple[tuple[int, int], str]:
    with _opened(path) as picture:
        return picture.size, picture.mode


def _pixels(path: Path) -> Stored:
    with _opened(path) as picture:
        return np.asarray(picture).astype(np.uint16 if picture.mode == "I;16" else np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    image = pillow()
    source = Source(str(path), "png", path)
    with source.open() as stream:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with image.open(stream, formats=["PNG"]) as picture:
                    yield picture
        except (OSError, ValueError, SyntaxError, image.DecompressionBombError, Warning) as error:
            reason = str(error).splitlines()[0][:120].rstrip(".") if "cannot identify" not in str(error) else "no PNG"
            raise source.refused(f"this is no sound picture ({reason})", hint="write or copy it again") from error


def pillow() -> Any:
    """The module of Pillow that reads and writes pictures. MissingDependency where it is not installed."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependency("pictures need Pillow", hint="pip install 'rnncli[frames]'") from error
    return Image
