"""An object in a bucket as a file: what fails while it is read is the network's fault, not that of what is in it."""

from __future__ import annotations

import io
from typing import Any

from rnncli.data.remote.place import Place

_BUFFER = 1 << 20  # bytes that are asked for at least


def opened(stream: Any, place: Place) -> io.BufferedReader:
    """The bytes of a stream of Arrow's from a place; each read may raise what `Place.told` does."""
    return io.BufferedReader(StoredFile(stream, place), _BUFFER)


class StoredFile(io.RawIOBase):
    """The bytes of an object. StorageFailed where the connection to its bucket breaks."""

    def __init__(self, stream: Any, place: Place) -> None:
        self._stream, self._place = stream, place

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return int(self._stream.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; returns it."""
        return int(self._stream.seek(offset, whence))

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        """The next bytes into a buffer; returns how many there were."""
        return int(self._place.told(lambda: self._stream.readinto(into)))

    def close(self) -> None:
        """Close the stream; a second time does nothing."""
        self._stream.close()
        super().close()
