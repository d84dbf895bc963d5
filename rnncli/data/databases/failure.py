"""What a driver's error means: the query's fault, the server's, or that another run holds the lock."""

from __future__ import annotations

import re
from urllib.parse import unquote

from rnncli.data.databases.address import ENVIRONMENT, POSTGRESQL, Address
from rnncli.errors import InputRefused, OutputLocked, RnncliError, StorageFailed, UsageError, without_secrets

_PREFIX = re.compile(r"^[A-Z_]+: |\[(libpq|SQLite)\] |Failed to (prepare|execute|step) query[^:]*: |INTERNAL: ")
_SERVER_SAYS = re.compile(r"(?:ERROR|FATAL|PANIC): +(?P<says>[^\n]*)(?:\nLINE \d+: (?P<line>[^\n]*))?")
_LOCKED = ("55P03", "lock timeout", "database is locked", "database table is locked", "Could not set lock on file")
_LOST = (
    *("terminating connection", "server closed the connection", "connection was lost", "no connection to the server"),
    *("could not receive data", "could not send data", "SSL SYSCALL", "SSL error", "connection not open"),
    *("the database system is", "57P0", "Connection reset", "Broken pipe"),
)
_CREDENTIALS = ("password", "authentication", "role ", "pg_hba.conf", "no PostgreSQL user name")
_QUERY = (
    "Parser Error",
    "Binder Error",
    "Catalog Error",
    "Missing Extension",
    "Failed to prepare query",
    "SQLSTATE: 42",
)
_READ_ONLY = ("25006", "read-only", "readonly database")


def explained(error: Exception, address: Address, doing: str) -> RnncliError:
    """A driver's error as one of ours, about `doing` something with a database: "connect", "read" or "write".

    No password is in it.
    """
    text = _without_password(str(error), address)
    says, where = _said(text), address.name
    if any(sign in text for sign in _LOCKED):
        hint = "wait for it to end, and run this again; or give it time: --lock-wait 60s"
        return OutputLocked(f"another program holds the lock: {says}", where=where, hint=hint)
    if any(sign in text for sign in _LOST):
        return StorageFailed(f"the connection was lost: {says}", where=where, hint="run it again")
    told = {"connect": _unconnected, "read": _unread, "write": _unwritten}
    return told[doing](text, says, address)


def _unread(text: str, says: str, address: Address) -> RnncliError:
    if any(sign in text for sign in _READ_ONLY):
        return UsageError("--query would change the database", where=address.name, hint="it is to select rows")
    if "file is not a database" in text:
        return InputRefused("this is no SQLite database", where=address.name, hint="check the path")
    if any(sign in text for sign in _QUERY):
        return UsageError(f"--query: {says}", where=address.name, hint=_line(text))
    return InputRefused(f"cannot read: {says}", where=address.name, hint=_line(text))


def _unwritten(text: str, says: str, address: Address) -> RnncliError:
    if any(sign in text for sign in _QUERY):
        return UsageError(f"--table: {says}", where=address.name, hint=_line(text))
    return StorageFailed(f"cannot write: {says}", where=address.name, hint="look at the database's disk and rights")


def _unconnected(text: str, says: str, address: Address) -> RnncliError:
    """Why there is no connection: who asks is not known, there is no such database, or nobody answers."""
    if address.kind != POSTGRESQL:
        return InputRefused(f"cannot open: {says}", where=address.name, hint="check the path")
    if any(sign in text for sign in _CREDENTIALS):
        return InputRefused(f"cannot connect: {says}", where=address.name, hint=ENVIRONMENT)
    if any(sign in text for sign in ("FATAL", "invalid", "unexpected", "in URI")):
        return InputRefused(f"cannot connect: {says}", where=address.name, hint="check the URL")
    return StorageFailed(f"cannot connect: {says}", where=address.name, hint="check the host, and that the server runs")


def _said(text: str) -> str:
    """The one line that says what is wrong."""
    found = _SERVER_SAYS.search(text)
    if found is not None:
        return found["says"].strip()
    first = next((line for line in text.splitlines() if line.strip()), "nothing is known of it")
    while (shorter := _PREFIX.sub("", first, count=1)) != first:
        first = shorter
    return first.removeprefix("Failed to connect: ").partition(". See also")[0].strip().rstrip(".:")


def _line(text: str) -> str:
    """The place in the query that is wrong, where the server says it."""
    found = _SERVER_SAYS.search(text)
    if found is not None and found["line"]:
        return f"near: {found['line'].strip()[:120]}"
    candidates = re.search(r"Candidate bindings: ([^\n]*)|Did you mean ([^\n]*)", text)
    return candidates[0].strip() if candidates else ""


def _without_password(text: str, address: Address) -> str:
    """The text without the password, of which a library may repeat a part."""
    found = re.match(r"[^:]+://[^:/@]*:(?P<secret>.*)@", address.url)
    if found is not None and found["secret"]:
        text = text.replace(found["secret"], "***").replace(unquote(found["secret"]), "***")
    return without_secrets(text)
