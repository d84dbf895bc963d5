"""A file on a web server, of which ranges are read."""

from __future__ import annotations

import io
import urllib.request
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import urlsplit

from rnncli.data.limits import Limits, Size
from rnncli.data.remote.version import Version
from rnncli.errors import InputRefused, RnncliError, StorageFailed, UsageError, without_secrets

_SECONDS = 60.0  # without a byte: longer, and the server is gone
_TRIES = 3
_BUFFER = 1 << 20  # bytes of a range at least
_REFUSED = (400, 401, 403, 404, 405, 410, 451)


class Web:
    """A file on a web server, which can be opened again and again."""

    def __init__(self, url: str, limits: Limits) -> None:
        self.name = without_secrets(url)
        self._url, self._limits, self._version = url, limits, Version(self.name)
        self._whole: bytes | None = None

    def open(self) -> io.BufferedReader | io.BytesIO:
        """Its bytes. InputRefused where there is none, StorageFailed where the server is not there, or the file is
        another version than before.

        A server that gives no ranges is asked once for the whole, which is refused where it is too large.
        """
        if self._whole is not None:
            return io.BytesIO(self._whole)
        try:
            return io.BufferedReader(WebFile(self._url, self._version), _BUFFER)
        except _NoRangesError:
            self._whole = self._all()
            return io.BytesIO(self._whole)

    def _all(self) -> bytes:
        try:
            with asked(self._url, self.name) as answer:
                data: bytes = answer.read(self._limits.most_bytes + 1)
                said = answer.headers.get("Content-Length", "")
        except (HTTPException, OSError) as error:
            raise lost(error, self.name) from None
        self._limits.check([Size(0, len(data), len(data))], [self.name], self.name)
        if said.isdecimal() and int(said) != len(data):
            raise lost(HTTPException(f"{len(data):,} bytes came of {int(said):,}"), self.name)
        return data


class _NoRangesError(Exception):
    """The server gives whole files alone."""


class WebFile(io.RawIOBase):
    """The bytes of a file on a web server: each read asks for a range of it. StorageFailed where the file has become
    another one in between.
    """

    def __init__(self, url: str, version: Version) -> None:
        self.name = version.name
        self._url, self._place, self._version = url, 0, version
        if "@" in urlsplit(url).netloc:
            hint = "pipe it in: curl --netrc URL | rnncli ... -"
            raise UsageError("the URL of a web server holds no password", where=self.name, hint=hint)
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
