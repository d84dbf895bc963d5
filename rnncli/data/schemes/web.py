"""A file on a web server as a source of a table: https://host/sales.csv."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from rnncli.data.remote.web import Web
from rnncli.data.source import Asked, Source, stem_of


def sources(url: str, asked: Asked) -> Iterable[Source]:
    """The one table at an address. InputRefused or StorageFailed."""
    web = Web(url, asked.limits)
    found = urlsplit(web.address)
    path = PurePosixPath(unquote(found.path.strip("/") or found.netloc))
    bare = Source(web.name, "", stem=stem_of(path) or None, stream=web.open, at=path)
    return [replace(bare, format=asked.format_of(path, bare))]
