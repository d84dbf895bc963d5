"""Files by their URL: file:///data/sales.csv."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from rnncli.data.source import Asked, Source, of_path
from rnncli.errors import UsageError
from rnncli.registry import parsed_url


def sources(url: str, asked: Asked) -> Iterable[Source]:
    """The tables of the file, folder or glob. UsageError for one of another machine."""
    return of_path(path_of(url), asked)


def path_of(url: str) -> str:
    """The path in a file's URL. UsageError if it is on another machine."""
    found = parsed_url(url)
    if found.netloc not in ("", "localhost") or not found.path:
        raise UsageError(f"{url!r} names no file of this machine", hint="three slashes: file:///data/sales.csv")
    return unquote(found.path)
