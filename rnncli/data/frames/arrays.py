"""Frames in files of NumPy: an array [time, height, width(, channels)], or [sequence, time, ...]."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from rnncli.arrays import Ints
from rnncli.data.frames.block import Stored
from rnncli.data.frames.pixels import checked_grid, refuse_unusable
from rnncli.data.frames.room import room
from rnncli.data.source import Source
from rnncli.errors import InputRefused
from rnncli.spec import FrameChoices

FEW = 4  # numbers of a last axis that are channels
_PIECE = 1 << 20  # bytes
_BROKEN = (ValueError, EOFError, OSError, KeyError, SyntaxError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Clip:
    """A sequence of frames [time, height, width, channels], its name, and the file it came from; its `times`
    [time + waiting] in microseconds, if that says them, and what they are called; `maps` beside it, of which so many
    steps are `waiting` for their frames.
    """

    name: str
    stored: Stored
    where: str
    times: Ints | None = None
    time_name: str = ""
    maps: tuple[Stored, ...] = ()
    waiting: int = 0


def read_npy(source: Source, frames: FrameChoices) -> list[Clip]:
    """The sequences in a file of NumPy, a map of the file itself. InputRefused if it is damaged or no frames."""
    try:
        with source.open() as stream:
            shape, columns_first, kind = _header(stream, source)
            begin, size = stream.tell(), stream.seek(0, os.SEEK_END)
        _check(shape, kind, size - begin, source)
        assert source.path is not None
        array = np.memmap(source.path, kind, "r", begin, shape, "F" if columns_first else "C")
    except _BROKEN as error:
        raise _damaged(source, error) from error
    return clips_of(array, source, frames)


def read_npz(source: Source, frames: FrameChoices) -> list[Clip]:
    """The sequences in one of the arrays of a file of NumPy: the one that is named, or that has three axes or more."""
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            return clips_of(_unpacked(archive, _member(archive, source, frames), source), source, frames)
    except _BROKEN as error:
        raise _damaged(source, error) from error


def clips_of(array: np.ndarray[Any, Any], source: Source, frames: FrameChoices) -> list[Clip]:
    """An array as sequences of frames. InputRefused where its axes cannot be those, or can be read in two ways."""
    name = source.stem or source.name
    if _of_sequences(array, source, frames):
        several = array if array.ndim == 5 else array[..., None]
        checked_grid(several.shape[2:], frames, source.name)
        return [Clip(f"{name}/{place}", clip, source.name) for place, clip in enumerate(several)]
    single = array if array.ndim == 4 else array[..., None]
    checked_grid(single.shape[1:], frames, source.name)
    return [Clip(name, single, source.name)]


def _of_sequences(array: np.ndarray[Any, Any], source: Source, frames: FrameChoices) -> bool:
    """Whether the first axis is of sequences, and not of time."""
    if array.ndim in (3, 5):
        return array.ndim == 5
    if array.ndim != 4:
        raise source.refused(
            f"an array of {_shown(array.shape)} is no sequence of frames",
            hint="the axes are time, height, width, and channels if there are several; sequences come first",
        )
    grid, shape = frames.shape, array.shape
    as_channels = shape[1:] == grid if len(grid) == 3 else shape[1:3] == grid if grid else shape[3] <= FEW
    as_sequences = shape[2:] == grid[:2] and grid[2:] in ((), (1,)) if grid else False
    if as_channels == as_sequences:
        one, other = "x".join(map(str, shape[1:])), "x".join(map(str, shape[2:]))
        raise source.refused(
            f"an array of {_shown(array.shape)} can be {shape[0]:,} frames, or {shape[0]:,} sequences of {shape[1]:,}",
            hint=f"say which: --grid {one} for frames with channels, --grid {other} for sequences",
        )
    return as_sequences


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape) or "no axis"


def _member(archive: zipfile.ZipFile, source: Source, frames: FrameChoices) -> zipfile.ZipInfo:
    """The array that is meant. InputRefused where it is not there, or several may be meant."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if frames.frame is not None:
        if frames.frame not in members:
            raise source.refused(f"there is no array {frames.frame!r}", hint=f"it has {', '.join(members) or 'none'}")
        return members[frames.frame]
    found = []
    for name, info in members.items():
        with archive.open(info) as stream:
            if len(_header(stream, source)[0]) > 2:
                found.append(name)
    if len(found) != 1:
        which = f"which of {', '.join(found)} has the frames" if found else "no array has three axes"
        raise source.refused(
            f"{which} is not said" if found else which,
            hint=f"name it: --frame {found[0]}" if found else "the axes are time, height and width",
        )
    return members[found[0]]


def _header(stream: Any, source: Source) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type of an array, whose numbers follow. InputRefused if it is none."""
    start = stream.read(npy.MAGIC_LEN)
    if not start.startswith(npy.MAGIC_PREFIX):
        raise source.refused("this is no array of NumPy", hint="write it with numpy.save(path, array)")
    read = {1: npy.read_array_header_1_0, 2: npy.read_array_header_2_0}.get(start[len(npy.MAGIC_PREFIX)])
    if read is None:
        raise source.refused("this is an array of a version that is not known", hint="save it with another NumPy")
    try:
        return read(stream)
    except (ValueError, SyntaxError, TypeError, OverflowError, EOFError) as error:
        raise source.refused("its header does not say what it holds", hint="write or copy it again") from error


def _check(shape: tuple[int, ...], kind: np.dtype[Any], size: int, source: Source) -> None:
    """InputRefused where a header says what is no frames, or there are not as many bytes as it says."""
    refuse_unusable(kind, source.name)
    if 0 in shape:
        raise source.refused(f"an array of {_shown(shape)} has no frames", hint="give one that has some")
    if int(np.prod(shape, dtype=object)) * kind.itemsize != size or any(axis < 0 for axis in shape):
        raise source.refused("its array has another size than it says", hint="write or copy it again")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: Source) -> np.ndarray[Any, Any]:
    """An array of an archive, copied to a block a piece at a time. InputRefused where its size is not what it says."""
    with archive.open(info) as stream:
        shape, columns_first, kind = _header(stream, source)
        _check(shape, kind, info.file_size - stream.tell(), source)
        found = room(shape[::-1] if columns_first else shape, kind)
        flat = found.reshape(-1).view(np.uint8)
        at = 0
        for piece in _pieces(stream):
            flat[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
            at += len(piece)
    return found.T if columns_first else found


def _pieces(stream: BinaryIO | Any) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def _damaged(source: Source, error: Exception) -> InputRefused:
    if isinstance(error, InputRefused):
        return error
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120].rstrip(".")
    return source.refused(f"this is no sound file of NumPy ({reason})", hint="write or copy it again")
