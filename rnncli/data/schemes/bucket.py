"""Files in a bucket as sources of tables: s3://bucket/sales.parquet, gs://bucket/sales/*.csv, az://container/sales."""

from __future__ import annotations

import glob
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from rnncli.data import pattern
from rnncli.data.folders import delta, hive
from rnncli.data.remote import stored
from rnncli.data.remote.place import Place, place_of
from rnncli.data.remote.version import Version
from rnncli.data.source import Asked, Source, kind_of_folder, stem_of
from rnncli.errors import InputRefused
from rnncli.registry import LAKE


def sources(url: str, asked: Asked) -> Iterable[Source]:
    """The tables of a file, a folder or a glob. InputRefused or StorageFailed."""
    place = place_of(url)
    found = place.told(lambda: place.system.get_file_info(place.path))
    if found.is_file:
        return [_file(place, asked)]
    if found.type.name == "Directory":
        return _folder(url, place, asked)
    if glob.has_magic(place.path):
        return _matches(place, asked)
    raise InputRefused("there is no such file", where=place.name, hint="check the name")


def _file(place: Place, asked: Asked) -> Source:
    path, version = PurePosixPath(place.path), Version(place.name)
    bare = Source(place.name, "", stem=stem_of(path), stream=lambda: _opened(place, version), at=path)
    return replace(bare, format=asked.format_of(path, bare))


def _opened(place: Place, version: Version) -> io.BufferedReader:
    stream = place.told(lambda: place.system.open_input_file(place.path))
    told = stream.metadata() or {}
    version.check((stream.size(), told.get(b"ETag") or told.get(b"Last-Modified")))
    return stored.opened(stream, place)


def _listed(place: Place, folder: str, *, deep: bool) -> list[Any]:
    """What is in a folder, by name."""
    from pyarrow.fs import FileSelector

    found = place.told(lambda: place.system.get_file_info(FileSelector(folder, recursive=deep, allow_not_found=True)))
    return sorted(found, key=lambda info: info.path)


def _folder(url: str, place: Place, asked: Asked) -> list[Source]:
    """The tables of a folder: one a file, or the one that its folders are parts of."""
    entries = _listed(place, place.path, deep=False)
    kind = kind_of_folder(entry.base_name for entry in entries if not entry.is_file)
    if kind == LAKE:
        return [delta.of_url(url, PurePosixPath(place.path).stem)]
    if kind is not None:
        root = PurePosixPath(place.path)
        paths = [PurePosixPath(info.path) for info in _listed(place, place.path, deep=True) if info.is_file]
        parts = [path for path in paths if hive.is_part(path.relative_to(root), asked)]
        files = [_file(place.beside(str(path)), asked) for path in parts]
        return [hive.one_table(place.name, zip((path.relative_to(root) for path in parts), files, strict=True))]
    files = [_file(place.beside(info.path), asked) for info in entries if info.is_file and asked.known(info.base_name)]
    if not files:
        raise InputRefused("this folder has no data files", where=place.name, hint="check the name")
    return files


def _matches(place: Place, asked: Asked) -> list[Source]:
    """The files that a glob matches."""
    folder, parts = pattern.split(place.path)
    found = [_file(place.beside(path), asked) for path in sorted(_matching(place, folder, parts))]
    if not found:
        raise InputRefused("no file matches", where=place.name, hint="check the pattern")
    return found


def _matching(place: Place, folder: str, parts: Sequence[str]) -> Iterator[str]:
    """The paths of the files in a folder that match a pattern; nothing is listed that cannot lead to one."""
    if parts[0] == pattern.DEEP:
        names = ((info, info.path[len(folder) + 1 :].split("/")) for info in _listed(place, folder, deep=True))
        yield from (info.path for info, inner in names if info.is_file and pattern.fits(inner, parts))
        return
    for info in _listed(place, folder, deep=False):
        if pattern.name_fits(info.base_name, parts[0]):
            if len(parts) > 1 and not info.is_file:
                yield from _matching(place, info.path, parts[1:])
            elif len(parts) == 1 and info.is_file:
                yield info.path
