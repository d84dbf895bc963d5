"""The version of a file that is read in several parts: it must stay the one that was seen first."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.errors import StorageFailed


@dataclass
class Version:
    """What tells the contents of a file called `name` from others, such as its size and its tag; None before it was
    seen.
    """

    name: str
    seen: object = None

    def check(self, found: object) -> None:
        """StorageFailed if it is another version than the one that was seen first."""
        if self.seen is None:
            self.seen = found
        elif found != self.seen:
            raise StorageFailed("the file was changed while it was read", where=self.name, hint="run it again")
