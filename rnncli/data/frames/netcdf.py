"""Frames in NetCDF files: a variable over time and two axes of space, read by xarray a piece at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli.data.frames.arrays import Clip
from rnncli.data.frames.pixels import checked_grid, refuse_unusable
from rnncli.data.frames.room import room
from rnncli.data.source import Source
from rnncli.errors import MissingDependency
from rnncli.spec import FrameChoices

_PIECE = 8 << 20  # bytes


def read_netcdf(source: Source, frames: FrameChoices) -> list[Clip]:
    """The one sequence of a file: the variable that is named, or the only one over time and two other axes.

    Values are as xarray decodes them, NaN where they are missing. InputRefused if there is none; MissingDependency
    where xarray is not installed.
    """
    try:
        import xarray
    except ImportError as error:
        raise MissingDependency(
            "NetCDF needs xarray and a library that reads it", hint="pip install 'rnncli[netcdf]'"
        ) from error
    with source.open():  # says what is wrong with the path
        pass
    try:
        with xarray.open_dataset(source.path) as found:
            return [
                Clip(source.stem or source.name, _copied(_variable(found, source, frames), source, frames), source.name)
            ]
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0][:120]
        raise source.refused(f"this is no NetCDF that can be read ({reason})", hint="write or copy it again") from error


def _variable(found: Any, source: Source, frames: FrameChoices) -> Any:
    usable = [str(name) for name, variable in found.data_vars.items() if variable.ndim == 3]
    if frames.frame is not None:
        if frames.frame not in usable:
            raise source.refused(
                f"there is no variable {frames.frame!r} over time and two other axes",
                hint=f"it has {', '.join(usable) or 'none'}",
            )
        return found[frames.frame]
    if len(usable) != 1:
        which = f"which of {', '.join(usable)} is meant is not said" if usable else "no variable has three axes"
        raise source.refused(which, hint=f"name it: --frame {usable[0]}" if usable else "time, latitude and longitude")
    return found[usable[0]]


def _copied(variable: Any, source: Source, frames: FrameChoices) -> np.ndarray[Any, Any]:
    """The values as float32, in the order of the file, some steps at a time."""
    refuse_unusable(variable.dtype, source.name)
    steps, height, width = variable.shape
    grid = checked_grid((height, width), frames, source.name)
    stored = room((steps, *grid), np.float32)
    some = max(1, _PIECE // (variable.dtype.itemsize * height * width))
    for begin in range(0, steps, some):
        stored[begin : begin + some, ..., 0] = variable[begin : begin + some].values
    return stored
