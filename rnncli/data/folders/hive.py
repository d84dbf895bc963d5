"""A table that is parted into folders, as Hive and Spark write it: sales/year=2024/month=01/part-0.parquet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePath
from stat import S_ISREG
from urllib.parse import unquote

from rnncli.data.folders.parted import Part, read
from rnncli.data.folders.walk import is_hidden, walked
from rnncli.data.source import Asked, Source, mode_of, unreadable
from rnncli.errors import InputRefused

NOTHING = "__HIVE_DEFAULT_PARTITION__"  # the value of a folder whose rows have none
FOLDER = re.compile(r"(?P<name>[^=]+)=(?P<value>.*)")


def sources(folder: Path, asked: Asked) -> list[Source]:
    """The one table below a folder, links to other folders among it. InputRefused where there is none, where a link
    leads back, and where a folder may not be looked into.
    """

    def refuse(error: OSError) -> None:
        raise unreadable(folder, error) from error

    below = [root / name for root, names in walked(folder, refuse) for name in names]
    paths = sorted(path for path in below if is_part(path.relative_to(folder), asked) and S_ISREG(mode_of(path)))
    files = [Source(str(path), asked.format_of(path), path) for path in paths]
    return [one_table(str(folder), zip((path.relative_to(folder) for path in paths), files, strict=True))]


def one_table(name: str, files: Iterable[tuple[PurePath, Source]]) -> Source:
    """The source of a table that is called `name`: its files, with their paths in it. InputRefused if there is none."""
    parts = [Part(file, constants(path)) for path, file in files]
    if not parts:
        raise InputRefused("the folders below this one have no data files", where=name, hint="look what is in them")
    return Source(name, parts[0].source.format, stem=PurePath(name).stem, reader=partial(read, parts))


def constants(path: PurePath) -> dict[str, str | None]:
    """The columns that the folders of a path stand for, and their values."""
    found = [FOLDER.fullmatch(part) for part in path.parts[:-1]]
    pairs = {unquote(part["name"]): unquote(part["value"]) for part in found if part}
    return {name: None if value == NOTHING else value for name, value in pairs.items()}


def is_part(path: PurePath, asked: Asked) -> bool:
    """Whether a file is one of the table's: nothing is that is hidden, or that a writer left for itself."""
    return not any(map(is_hidden, path.parts)) and asked.known(path.name)
