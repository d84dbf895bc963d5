"""Patterns of paths as a shell has them, for files of this machine and in buckets alike: a * ends at a slash, ** does
not, and neither stands for what is hidden.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from fnmatch import fnmatchcase

DEEP = "**"


def fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether a path of these names matches a pattern of these parts."""
    if not parts:
        return not names
    if parts[0] == DEEP:
        inner = bool(names) and not names[0].startswith(".") and fits(names[1:], parts)
        return inner or fits(names, parts[1:])
    return bool(names) and name_fits(names[0], parts[0]) and fits(names[1:], parts[1:])


def name_fits(name: str, part: str) -> bool:
    """Whether a name matches one part of a pattern: what is hidden must be asked for."""
    return (part.startswith(".") or not name.startswith(".")) and fnmatchcase(name, part)


def split(pattern: str) -> tuple[str, list[str]]:
    """The folder in which all that a pattern matches is, and the parts of the pattern behind it."""
    parts = pattern.split("/")
    first = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return "/".join(parts[:first]), parts[first:]
