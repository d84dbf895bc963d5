"""A file of bytes that are taken away while they are made, so that never all of them are in memory."""

from __future__ import annotations


class Bytes:
    """What pyarrow writes to as if it were a file."""

    closed = False

    def __init__(self) -> None:
        self._made: list[bytes] = []

    def write(self, some: bytes) -> int:
        """Further bytes; returns how many."""
        self._made.append(bytes(some))
        return len(some)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """The bytes since the last time."""
        made, self._made = b"".join(self._made), []
        return made
