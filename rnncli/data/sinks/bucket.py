"""Results as a file in a bucket: it is there whole when the last part was sent, and not before."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from rnncli.data.remote.place import Place, place_of
from rnncli.data.sinks.file import format_in
from rnncli.data.sinks.sink import Into
from rnncli.data.writers.results import Results, Style, pieces
from rnncli.errors import OutputExists, StorageFailed, UsageError, without_secrets
from rnncli.registry import split_url


def sink(text: str, into: Into) -> BucketSink:
    """The file at a URL, in the format that was said or that its suffix says."""
    found = format_in("://".join(split_url(without_secrets(text))[:2]), into)
    return BucketSink(place_of(text), found)


def of_web(text: str, into: Into) -> BucketSink:
    """UsageError: nobody knows how a web server takes a file."""
    del into
    raise UsageError("a web server is read alone", where=without_secrets(text), hint="write a file, and upload it")


@dataclass(frozen=True)
class BucketSink:
    """An object that is either the old or the new one. The last of several runs that write it wins."""

    place: Place
    format: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.place.name

    def check(self) -> None:
        """StorageFailed where there is no such bucket, or it cannot be reached."""
        from pyarrow.fs import FileType

        bucket = self.place.beside(self.place.path.partition("/")[0])
        if bucket.told(lambda: bucket.system.get_file_info(bucket.path)).type == FileType.NotFound:
            raise StorageFailed("there is no such bucket", where=self.name, hint="make it first, or check the URL")

    def held(self, wait: float) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing can be held in a bucket."""
        return nullcontext()

    def refuse_existing(self) -> None:
        """OutputExists if there is something."""
        if self.size() is not None:
            raise OutputExists("there is a file already", where=self.name, hint="--if-exists replace")

    def write(self, results: Results, style: Style, key: str = "") -> int:  # noqa: ARG002  # it is replaced whole
        """Write the table; returns its bytes."""
        return self.put(pieces(results, self.format, style))

    def put(self, pieces: Iterable[bytes]) -> int:
        """Write bytes; returns how many. They are made before the first one is sent: what is closed counts as whole."""
        data = b"".join(pieces)
        self.place.told(lambda: self._send(data), "write")
        return len(data)

    def _send(self, data: bytes) -> None:
        stream = self.place.system.open_output_stream(self.place.path)
        stream.write(data)
        stream.close()

    def size(self) -> int | None:
        """The bytes of the file; None if there is none."""
        found = self.place.told(lambda: self.place.system.get_file_info(self.place.path))
        return found.size if found.is_file else None
