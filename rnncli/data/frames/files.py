"""Files that are frames: which of the paths that were given are such, and what sequences they hold."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.data.frames.arrays import Clip, clips_of, read_npy, read_npz
from rnncli.data.frames.netcdf import Named, read_netcdf
from rnncli.data.frames.pixels import refuse_unusable
from rnncli.data.frames.png import in_order, read_pictures
from rnncli.data.source import Source
from rnncli.errors import InputRefused, UsageError
from rnncli.registry import scheme_of
from rnncli.spec import FrameChoices

NPY, NPZ, PNG, NETCDF = "npy", "npz", "png", "netcdf"
AXES = 3  # of an array that can be frames, at least
ARRAY = "the array"
SUFFIXES = {".npy": NPY, ".npz": NPZ, ".png": PNG, ".nc": NETCDF, ".nc4": NETCDF}


def holds_frames(given: Any) -> bool:
    """Whether data are files of frames by their names, folders with such files or folders of pictures, or arrays."""
    items = _listed(given)
    return bool(items) and all(
        is_array(item) or (_is_path(item) and any(map(_is_frames, _meant(item)))) for item in items
    )


def is_array(item: Any) -> bool:
    """Whether it is an array of NumPy that can be frames."""
    return isinstance(item, np.ndarray) and item.ndim >= AXES


def _is_path(item: Any) -> bool:
    return isinstance(item, (str, os.PathLike)) and bool(os.fspath(item)) and item != "-"


def _meant(item: Any) -> list[Path]:
    """The path, or what matches it where it is a pattern."""
    text, path = os.fspath(item), Path(item)
    if glob.has_magic(text) and not path.exists():
        return sorted(map(Path, glob.glob(text)), key=in_order)  # noqa: PTH207  # Path.glob takes no absolute pattern
    return [path]


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) else [given]


def _is_frames(path: Path) -> bool:
    if not path.is_dir():
        return form_of(path) is not None
    inside = [file for file in path.iterdir() if not file.name.startswith(".")]
    return any(form_of(file) for file in inside) or any(file.is_dir() and _of_pictures(file) for file in inside)


def form_of(path: Path) -> str | None:
    """What a file of this name holds; None where it is no file of frames."""
    return SUFFIXES.get(path.suffix.lower())


def _of_pictures(folder: Path) -> bool:
    return any(form_of(file) == PNG for file in folder.iterdir())


def read_files(given: Any, frames: FrameChoices, hint: str, maps: Named = ()) -> tuple[list[Clip], str]:
    """The sequences of all files, in order, with `maps` beside them, and what the files are. InputRefused where there
    is none, UsageError with the hint where it is something else, or has no maps.
    """
    clips: list[Clip] = []
    forms: list[str] = []
    alone: list[Path] = []  # pictures that were named one by one are a sequence
    arrays = [item for item in _listed(given) if is_array(item)]
    for place, array in enumerate(arrays):
        forms.append(NPY)
        refuse_unusable(array.dtype, ARRAY)
        clips += clips_of(array, Source(ARRAY, NPY, stem=f"array{place or ''}"), frames)
    for path in _expanded([item for item in _listed(given) if not is_array(item)], hint):
        form = PNG if path.is_dir() else form_of(path)
        if form is None:
            raise UsageError(
                f"{path.name!r} is no file of frames, of which known are {', '.join(SUFFIXES)}",
                hint=hint,
            )
        forms.append(form)
        if path.is_dir():
            clips.append(read_pictures(path.name, _pictures(path), frames))
        elif form == PNG:
            alone.append(path)
        else:
            source = Source(str(path), form, path, stem=path.stem)
            clips += read_netcdf(source, frames, maps) if form == NETCDF else _READERS[form](source, frames)
    if alone:
        clips.append(read_pictures(alone[0].parent.resolve().name or "pictures", sorted(alone, key=in_order), frames))
    if len(set(forms)) > 1:
        raise UsageError(f"files of {' and '.join(sorted(set(forms)))} are given", hint="give files of one kind")
    if maps and forms[0] != NETCDF:
        raise UsageError(
            "maps beside frames are columns of a table, or variables of NetCDF, and these are other files",
            hint="leave --past, --future and --static out, or give a table",
        )
    return clips, forms[0]


_READERS = {NPY: read_npy, NPZ: read_npz}


def _expanded(given: Any, hint: str) -> list[Path]:
    """Every file, and every folder of pictures. InputRefused where nothing is there."""
    found: list[Path] = []
    for item in _listed(given):
        if not _is_path(item):
            raise UsageError("a table is no file of frames", hint=hint)
        if scheme_of(os.fspath(item)) is not None:
            hint = "copy it here; a table with frames in its cells can be anywhere"
            raise UsageError("files of frames are files of this machine", where=os.fspath(item), hint=hint)
        meant = _meant(item)
        if not meant:
            raise InputRefused("no file matches", where=str(item), hint="check the pattern and the current folder")
        for path in meant:
            found += _in_folder(path) if path.is_dir() else [path]
    return found


def _in_folder(folder: Path) -> list[Path]:
    """The files of frames in a folder, or its folders of pictures, or itself where it holds pictures."""
    inside = sorted((file for file in folder.iterdir() if not file.name.startswith(".")), key=in_order)
    if any(form_of(file) == PNG and file.is_file() for file in inside):
        return [folder]
    files = [file for file in inside if file.is_file() and form_of(file)]
    folders = [file for file in inside if file.is_dir() and _of_pictures(file)]
    if not files and not folders:
        hint = f"a folder holds files of {', '.join(SUFFIXES)}, or a folder of pictures for each sequence"
        raise InputRefused("this folder holds no frames", where=str(folder), hint=hint)
    return files or folders


def _pictures(folder: Path) -> list[Path]:
    return sorted((file for file in folder.iterdir() if form_of(file) == PNG and file.is_file()), key=in_order)
