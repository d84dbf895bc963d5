"""Frames in NetCDF files: variables over time and two axes of space, read by xarray a piece at a time.

A variable is a channel; further ones may be maps beside the frames. By the conventions of CF the file says when each
frame was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.frames.arrays import Clip
from rnncli.data.frames.block import Stored
from rnncli.data.frames.pixels import checked_grid, refuse_unusable
from rnncli.data.frames.room import room
from rnncli.data.source import Source
from rnncli.errors import MissingDependency
from rnncli.spec import FrameChoices

_PIECE = 8 << 20  # bytes
TIMES = ("time", "valid_time", "t")  # what an axis of times is called where its coordinates do not say so
Named = Sequence[tuple[str, str]]


def read_netcdf(source: Source, frames: FrameChoices, maps: Named = ()) -> list[Clip]:
    """The one sequence of a file: the variables that are named, each a channel, or the only one over time and two other
    axes; its times, if it says them; and `maps` by name and role.

    Values are as xarray decodes them, NaN where they are missing. Where maps are known ahead, last frames of which
    every pixel is missing are still to come. InputRefused if there is none; MissingDependency where xarray is not
    installed.
    """
    try:
        import xarray
    except ImportError as error:
        raise MissingDependency(
            "NetCDF needs xarray and a library that reads it", hint="pip install 'rnncli[netcdf]'"
        ) from error
    with source.open():  # says what is wrong with the path
        pass
    assert source.path is not None
    try:
        with xarray.open_dataset(source.path) as found:
            return [_clip(found, source, frames, maps)]
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0][:120]
        raise source.refused(f"this is no NetCDF that can be read ({reason})", hint="write or copy it again") from error


def _clip(found: Any, source: Source, frames: FrameChoices, maps: Named) -> Clip:
    variables = [_in_order(found[name]) for name in _names(found, source, frames)]
    for other in variables[1:]:
        if other.shape != variables[0].shape:
            raise source.refused(
                f"{variables[0].name!r} is {_shown(variables[0])}, and {other.name!r} is {_shown(other)}",
                hint="channels of a frame are on one grid, at the same times",
            )
    stored = _copied(variables, source, frames)
    beside = tuple(_map(found, name, role, variables[0], source) for name, role in maps)
    waiting = _waiting(stored) if any(role == "future" for _, role in maps) else 0
    times, axis = _times(variables[0])
    name = source.stem or source.name
    return Clip(name, stored[: len(stored) - waiting], source.name, times, axis, beside, waiting)


def _names(found: Any, source: Source, frames: FrameChoices) -> list[str]:
    """The variables that are meant."""
    usable = [str(name) for name, variable in found.data_vars.items() if _in_order(variable).ndim == 3]
    if frames.frame is not None:
        named = [frames.frame] if frames.frame in usable else [part.strip() for part in frames.frame.split(",")]
        for name in named:
            if name not in usable:
                raise source.refused(
                    f"there is no variable {name!r} over time and two other axes",
                    hint=f"it has {', '.join(usable) or 'none'}",
                )
        return named
    if len(usable) != 1:
        which = f"which of {', '.join(usable)} is meant is not said" if usable else "no variable has three axes"
        raise source.refused(which, hint=f"name it: --frame {usable[0]}" if usable else "time, latitude and longitude")
    return usable


def _in_order(variable: Any) -> Any:
    """A variable with its axis of times first, and without axes of a single place."""
    axis = _time_axis(variable)
    single = [name for name, size in zip(variable.dims, variable.shape, strict=True) if size == 1 and name != axis]
    variable = variable.squeeze(single[: max(0, variable.ndim - 3)], drop=True)
    return variable if axis is None or variable.dims[0] == axis else variable.transpose(axis, ...)


def _time_axis(variable: Any) -> str | None:
    """The axis whose coordinates are times, or that is called so; None if there is none."""
    of_times = [name for name in variable.dims if name in variable.coords and variable[name].dtype.kind == "M"]
    called = [name for name in variable.dims if str(name).lower() in TIMES]
    return next(iter([*of_times, *called]), None)


def _shown(variable: Any) -> str:
    return " x ".join(f"{size:,}" for size in variable.shape)


def _map(found: Any, name: str, role: str, frames: Any, source: Source) -> Stored:
    """A map as float32 [steps, height, width, 1], one step where it always stays the same."""
    if name not in found.variables:
        names = ", ".join(map(str, found.data_vars))
        raise source.refused(f"there is no variable {name!r}, which is to be a map", hint=f"it has {names}")
    variable = _in_order(found[name])
    if variable.ndim == 2 and role != "static":
        raise source.refused(f"{name!r} has no times, as maps for --{role} have", hint=f"it stays: --static {name}")
    if variable.ndim == 3 and role == "static":
        raise source.refused(
            f"{name!r} has times, and a map that stays has none", hint=f"say --past or --future {name}"
        )
    variable = variable.expand_dims("still") if variable.ndim == 2 else variable
    if variable.shape[1:] != frames.shape[1:] or len(variable) not in (1 if role == "static" else -1, len(frames)):
        raise source.refused(
            f"{name!r} is {_shown(variable)}, and the frames are {_shown(frames)}",
            hint="give maps on the grid of the frames, at the same times",
        )
    return _copied([variable], source, FrameChoices())


def _waiting(stored: Stored) -> int:
    """How many of the last frames have no pixel that is known; one frame at least has."""
    count = 0
    while count < len(stored) - 1 and np.isnan(stored[len(stored) - 1 - count]).all():
        count += 1
    return count


def _times(variable: Any) -> tuple[Ints | None, str]:
    """When each frame was, in microseconds of UTC, and what that axis is called; None where the file does not say it in
    dates of the usual calendar.
    """
    axis = str(variable.dims[0])
    if axis not in variable.coords or variable[axis].dtype.kind != "M" or bool(variable[axis].isnull().any()):
        return None, axis
    return variable[axis].values.astype("datetime64[us]").astype(np.int64), axis


def _copied(variables: Sequence[Any], source: Source, frames: FrameChoices) -> Stored:
    """The values as float32, in the order of the file, some steps at a time."""
    for variable in variables:
        refuse_unusable(variable.dtype, source.name)
    steps, height, width = variables[0].shape
    if not steps:
        raise source.refused("it has no frames", hint="give a file that has some")
    grid = checked_grid((height, width, len(variables)), frames, source.name)
    stored = room((steps, *grid), np.float32)
    some = max(1, _PIECE // (variables[0].dtype.itemsize * height * width))
    for place, variable in enumerate(variables):
        for begin in range(0, steps, some):
            stored[begin : begin + some, ..., place] = variable[begin : begin + some].values
    return stored
