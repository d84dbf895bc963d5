"""The URL of a database: where it is, and what messages may call it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rnncli.errors import UsageError, without_secrets
from rnncli.registry import parsed_url, scheme_of

POSTGRESQL, SQLITE, DUCKDB = "postgresql", "sqlite", "duckdb"
_KINDS = {"postgresql": POSTGRESQL, "postgres": POSTGRESQL, "sqlite": SQLITE, "duckdb": DUCKDB}
ENVIRONMENT = "PGUSER and PGPASSWORD, or ~/.pgpass, say who asks"
_SERVER = re.compile(r"[A-Za-z]+://[^/?#]*")


@dataclass(frozen=True)
class Address:
    """A database: its `kind`, its URL, which may hold a password, its `name` without one, and the `path` of its file if
    it is in one.
    """

    kind: str
    url: str = field(repr=False)
    name: str
    path: Path | None = None


def address_of(url: str) -> Address:
    """The address in a URL. UsageError, which repeats no password, where it is none."""
    kind = _KINDS[url.partition("://")[0].lower()]
    name = without_secrets(url)
    if any(letter.isspace() for letter in _SERVER.match(url)[0]):  # type: ignore[index]
        raise UsageError(f"the {kind} URL has a blank before the database's name", hint="write it as %20")
    _refuse_unescaped(url)
    found = parsed_url(url)
    if kind == POSTGRESQL:
        return Address(kind, url, name)
    path = unquote(found.path.removeprefix("/"))
    if found.netloc or not path or found.query:
        hint = (
            f"three slashes and a path: {kind}:///sales.{kind} is in this folder, {kind}:////data/sales.{kind} is not"
        )
        raise UsageError("the URL names no file", where=name, hint=hint)
    return Address(kind, url, name, Path(path))


def _refuse_unescaped(url: str) -> None:
    """UsageError where a password has a mark that ends it, so that a server, or a file, would be called by its rest."""
    found = re.match(r"[A-Za-z]+://[^:/@?#]*:(?P<secret>.*)@", url)
    if (
        found
        and re.search(r"[@/?#]|%(?![0-9A-Fa-f]{2})", found["secret"])
        and not re.match(r"\d*(/|$)", found["secret"])
    ):
        raise UsageError(
            "the password in the URL has a mark that means something in URLs",
            hint=f"write @ as %40, / as %2F, % as %25; or leave it out: {ENVIRONMENT}",
        )


def same(one: Address, other: Address) -> bool:
    """Whether two addresses lead to one database, as far as their URLs tell."""
    if one.path is not None and other.path is not None:
        return one.path.resolve() == other.path.resolve()
    return one.kind == other.kind and _place(one) == _place(other)


def _place(address: Address) -> tuple[str, int, str]:
    found = urlsplit(address.url)
    try:
        port = found.port or 5432
    except ValueError:  # the server's library says what is wrong with it
        port = 0
    return (found.hostname or "localhost", port, found.path.strip("/"))


def is_database(text: str) -> bool:
    """Whether a text is the URL of a database."""
    return scheme_of(text) in _KINDS


def names_table(query: str | None, table: str) -> bool:
    """Whether a query speaks of a table."""
    name = re.escape(table.rpartition(".")[2])
    return query is not None and re.search(rf"(?<!\w){name}(?!\w)", query, re.IGNORECASE) is not None
