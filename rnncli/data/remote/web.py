"""A file on a web server, of which ranges are read."""

from __future__ import annotations

import io
import re
import urllib.request
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import SplitResult, quote, urlunsplit

from rnncli.data.limits import Limits, Size
from rnncli.data.remote.version import Version
from rnncli.errors import InputRefused, RnncliError, StorageFailed, UsageError, without_secrets
from rnncli.registry import parsed_url

_SECONDS = 60.0  # without a byte: longer, and the server is gone
_TRIES = 3
_BUFFER = 1 << 20  # bytes of a range at least
_MEANT = "/%?:@!$&'()*+,;=~[]"  # marks of a URL, which stay
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NO_HOST = re.compile(r"[\s\"<>\\^`{|}%]")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_REFUSED = (400, 401, 403, 404, 405, 410, 451)


class Web:
    """A file on a web server, which can be opened again and again. UsageError for a URL that leads nowhere."""

    def __init__(self, url: str, limits: Limits) -> None:
        self.name = without_secrets(url)
        self.address = _address(url)
        self._limits, self._version = limits, Version(self.name)
        self._whole: bytes | None = None

    def open(self) -> io.BufferedReader | io.BytesIO:
        """Its bytes. InputRefused where there is none, StorageFailed where the server is not there, or the file is
        another version than before.

        A server that gives no ranges is asked once for the whole, which is refused where it is too large.
        """
        if self._whole is not None:
            return io.BytesIO(self._whole)
        try:
            return io.BufferedReader(WebFile(self.address, self._version), _BUFFER)
        except _NoRangesError:
            self._whole = self._all()
            return io.BytesIO(self._whole)

    def _all(self) -> bytes:
        try:
            with asked(self.address, self.name) as answer:
                data: bytes = answer.read(self._limits.most_bytes + 1)
                said = answer.headers.get("Content-Length", "")
        except (HTTPException, OSError) as error:
            raise lost(error, self.name) from None
        self._limits.check([Size(0, len(data), len(data))], [self.name], self.name)
        if said.isdecimal() and int(said) != len(data):
            raise lost(HTTPException(f"{len(data):,} bytes came of {int(said):,}"), self.name)
        return data


def _address(url: str) -> str:
    """The URL with all escaped that has to be: blanks, letters beyond ASCII, and a % that begins no escape. UsageError
    where it leads nowhere, or holds a password.
    """
    if _CONTROL.search(url):
        raise UsageError("the URL has a control character", where=repr(url)[1:-1], hint="check the URL")
    found = parsed_url(url)
    if "@" in found.netloc:
        hint = "pipe it in: curl --netrc URL | rnncli ... -"
        raise UsageError("the URL of a web server holds no password", where=url, hint=hint)
    return urlunsplit((found.scheme, _server(found, url), _quoted(found.path), _quoted(found.query), ""))


def _server(found: SplitResult, url: str) -> str:
    """The host of a URL, as it is looked up, and its port. UsageError where there can be none."""
    try:
        port, host = found.port, found.hostname or ""
    except ValueError as error:
        raise UsageError(f"this is no URL: {error}", where=url, hint="check the port") from None
    if not host or _NO_HOST.search(host):
        says = "has a host that there cannot be" if host else "names no host"
        raise UsageError(f"the URL {says}", where=url, hint=f"{found.scheme}://host/folder/sales.csv")
    try:
        name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except UnicodeError:
        says = "a part of the host's name is empty, too long, or none that a host can have"
        raise UsageError(says, where=url, hint="check the name of the host") from None
    return name if port is None else f"{name}:{port}"


def _quoted(part: str) -> str:
    return quote(_NO_ESCAPE.sub("%25", part), safe=_MEANT, errors="surrogateescape")


class _NoRangesError(Exception):
    """The server gives whole files alone."""


class WebFile(io.RawIOBase):
    """The bytes of a file on a web server: each read asks for a range of it. StorageFailed where the file has become
    another one in between.
    """

    def __init__(self, url: str, version: Version) -> None:
        self.name = version.name
        self._url, self._place, self._version = url, 0, version
        with asked(url, self.name, "bytes=0-0") as answer:
            said = answer.headers.get("Content-Range", "")
            if answer.status != 206 or not said.rpartition("/")[2].isdecimal():
                raise _NoRangesError
            self._size = int(said.rpartition("/")[2])
            self._version.check(_tag(answer))

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; returns it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        """The next bytes into a buffer; returns how many there were."""
        wanted = min(len(into), self._size - self._place)
        if wanted <= 0:
            return 0
        data = self._range(self._place, wanted)
        into[: len(data)] = data
        self._place += len(data)
        return len(data)

    def _range(self, begin: int, size: int) -> bytes:
        """Bytes of the file; a connection that was lost is made again."""
        for _ in range(_TRIES - 1):
            try:
                return self._once(begin, size)
            except (HTTPException, OSError):
                continue
        try:
            return self._once(begin, size)
        except (HTTPException, OSError) as error:
            raise lost(error, self.name) from None

    def _once(self, begin: int, size: int) -> bytes:
        with asked(self._url, self.name, f"bytes={begin}-{begin + size - 1}") as answer:
            self._version.check(_tag(answer))
            data: bytes = answer.read(size + 1)
        if answer.status != 206 or len(data) != size:
            raise HTTPException(f"{len(data):,} bytes came of {size:,}")
        return data


def asked(url: str, name: str, part: str | None = None) -> HTTPResponse:
    """A server's answer to a question for a file, or a part of it. InputRefused or StorageFailed."""
    headers = {"Accept-Encoding": "identity"} | ({} if part is None else {"Range": part})
    question = urllib.request.Request(url, headers=headers)  # noqa: S310  # http and https alone
    try:
        answer: HTTPResponse = urllib.request.urlopen(question, timeout=_SECONDS)  # noqa: S310
    except HTTPError as error:
        with error:
            raise _refusal(error, name) from None
    except (HTTPException, OSError) as error:
        raise lost(error, name) from None
    return answer


def _refusal(error: HTTPError, name: str) -> RnncliError:
    if error.code == 416:
        return InputRefused("the file is empty", where=name)
    if error.code in _REFUSED:
        says = "there is no such file" if error.code in (404, 410) else "the server refuses it"
        return InputRefused(f"{says} ({error.code} {error.reason})", where=name, hint="check the URL")
    return StorageFailed(f"the server failed ({error.code} {error.reason})", where=name, hint="run it again")


def lost(error: Exception, name: str) -> StorageFailed:
    """The error about a connection that broke, or was never made."""
    reason = getattr(error, "reason", None) or error
    says = without_secrets(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__)
    return StorageFailed(f"cannot read: {says}".rstrip("."), where=name, hint="check the host; run it again")


def _tag(answer: HTTPResponse) -> tuple[str, str]:
    """What tells the versions of a file apart: its tag or time, and its size."""
    tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    return tag, answer.headers.get("Content-Range", "").rpartition("/")[2]
