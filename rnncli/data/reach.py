"""Which files data stand for, before any of them is opened: those that are there, and those that would be read too."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rnncli.data import pattern
from rnncli.data.folders.walk import is_hidden, walked
from rnncli.data.source import is_data, kind_of_folder
from rnncli.files import Mark, folder_mark, marks
from rnncli.registry import LAKE, local_path

Rule = tuple[Mark, Callable[[str], bool]]  # a folder, and which names in it are read


@dataclass(frozen=True)
class Reach:
    """The marks of the files that are read, and for folders and globs the rule by which a file in them would be."""

    files: frozenset[Mark] = frozenset()
    rules: tuple[Rule, ...] = ()

    def includes(self, found: frozenset[Mark]) -> bool:
        """Whether a file with these marks is one of them, or would be if it were there."""
        return not self.files.isdisjoint(found) or any(
            folder == mark[0] and wanted(mark[1]) for folder, wanted in self.rules for mark in found
        )


def reach(item: Any, choice: str | None = None) -> Reach:
    """The reach of one source of data, which is read as `choice` if that is given. What cannot be looked at is not in
    it: whoever reads will say so.
    """
    if not isinstance(item, (str, os.PathLike)):
        return Reach()
    text = os.fspath(item)
    if text == "-":
        return Reach(_standard_input())
    local = local_path(text)
    if local is None:
        return _of_url(text, choice)
    text = local
    with suppress(OSError, ValueError):  # the working folder is gone, a NUL in the path
        if glob.has_magic(text) and not os.path.exists(text):  # noqa: PTH110  # it never raises
            return _of_pattern(text, choice)
        return _of_path(text, choice)
    return Reach()


def _of_url(url: str, choice: str | None) -> Reach:
    """What a URL leads to: the file, or, if it is a folder or a glob, what would be in it."""
    bare = next(mark[0] for mark in marks(url) if len(mark) == 1)
    rules: list[Rule] = [((bare,), partial(_in_folder, choice=choice))]
    if glob.has_magic(bare):
        folder, parts = pattern.split(bare)
        rules.append(((folder,), lambda rest: pattern.fits(rest.split("/"), parts)))
    return Reach(frozenset({(bare,)}), tuple(rules))


def _in_folder(path: str, choice: str | None) -> bool:
    """Whether what is at a path in a folder is read with it: in a folder below it, if that makes it a parted table."""
    *folders, name = path.split("/")
    return is_data(name, choice) and (not folders or kind_of_folder(folders) is not None)


def _of_path(path: str, choice: str | None) -> Reach:
    if not os.path.isdir(path):  # noqa: PTH112  # it never raises
        return Reach(marks(path))
    folders = [path, *_parts(path)]
    rules = tuple((folder_mark(folder), partial(is_data, choice=choice)) for folder in folders)
    lake = os.path.isdir(os.path.join(path, LAKE))  # noqa: PTH112,PTH118  # it never raises
    own = marks(path) if lake else frozenset()  # of such a folder all is one table
    return Reach(own.union(*(_linked(folder, choice) for folder in folders)), rules)


def _parts(path: str) -> list[str]:
    """The folders below one that is parted into them: those that are read, and of a table with a log all."""
    with suppress(OSError):  # a folder that may not be looked into
        kind = kind_of_folder(entry.name for entry in os.scandir(path) if entry.is_dir())
        if kind is not None:
            passed_over = (lambda _: False) if kind == LAKE else is_hidden
            return [str(folder) for folder, _ in walked(Path(path), lambda _: None, passed_over)][1:]
    return []


def _linked(folder: str, choice: str | None) -> Iterable[Mark]:
    """The marks of a folder's files under other names than those they have in it."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if is_data(entry.name, choice):
                yield from _other_names(entry)


def _other_names(entry: os.DirEntry[str]) -> Iterable[Mark]:
    if entry.is_symlink():
        return marks(entry.path)
    status = entry.stat()
    return [(status.st_dev, status.st_ino)]


def _of_pattern(given: str, choice: str | None) -> Reach:
    """What a glob matches, what it would match, and the file that would be called just so."""
    found = [Reach(marks(given)), *(_of_path(path, choice) for path in _glob(given))]
    name = os.path.basename(given)  # noqa: PTH119  # Path would drop a slash at the end
    rules = [(folder_mark(folder), partial(pattern.name_fits, part=name)) for folder in _folders(given)]
    return Reach(
        frozenset().union(*(one.files for one in found)), (*rules, *(rule for one in found for rule in one.rules))
    )


def _folders(given: str) -> Iterable[str]:
    """The folders in which a glob looks for its last part."""
    whole = os.path.join(glob.escape(os.getcwd()), given)  # noqa: PTH109,PTH118  # relative, ** leaves "" out
    folder, name = os.path.split(whole)
    deep = _glob(os.path.join(folder, "**", "")) if name == "**" else []  # noqa: PTH118  # the slash at the end counts
    return [*_glob(folder), *deep] if name else []


def _glob(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207  # Path.glob takes no absolute pattern


def _standard_input() -> frozenset[Mark]:
    """The file that a shell opened as standard input, if it is one."""
    with suppress(OSError, ValueError, AttributeError):
        status = os.fstat(sys.stdin.fileno())
        if stat.S_ISREG(status.st_mode):
            return frozenset({(status.st_dev, status.st_ino)})
    return frozenset()
