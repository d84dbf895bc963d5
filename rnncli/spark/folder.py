"""A folder that Spark writes: made beside its place, and put there when all of it is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from rnncli.errors import OutputExists, StorageFailed, UsageError
from rnncli.spark.reading import reached

RECORD = "_rnncli.json"  # by which a folder is known as one that this program wrote; readers pass over it
NOTICED = "_noticed"
_GLOB = "*?[{"


class Folder:
    """The folder at a path of any of Hadoop's file systems, as `-o` names it."""

    def __init__(self, session: Any, path: str) -> None:
        self._jvm, self._conf = session._jvm, session._jsc.hadoopConfiguration()  # noqa: SLF001  # Hadoop is met here
        self.name, self._session = path, session
        bare = self._path(reached(session, path))
        self._system = bare.getFileSystem(self._conf)
        self._target = self._system.makeQualified(bare)

    def _path(self, text: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(text)

    def is_there(self) -> bool:
        """Whether there is something at the path."""
        return bool(self._system.exists(self._target))

    def check(self, read: Sequence[str], *, replace: bool) -> None:
        """UsageError where a path that is read is in the folder, or the folder in it, by whatever name, and where it is
        no folder that an earlier run wrote; OutputExists where there is one that is not to be replaced.
        """
        for text in read:
            if any(self._meets(other) for other in self._places(text)):
                hint = "give --output a path that is not read, in a folder of its own"
                says = f"DATA ({text}) reads this, and --output would replace it"
                raise UsageError(says, where=self.name, hint=hint)
        if not self.is_there() or (replace and (self._is_empty() or self._is_ours())):
            return
        if not replace:
            raise OutputExists("there is something already", where=self.name, hint="say --if-exists replace, or skip")
        says = "there is something that is no forecast written by Spark"
        raise UsageError(says, where=self.name, hint="remove it, or say another path")

    def _meets(self, other: str) -> bool:
        """Whether one of the two is in the other, or matches it."""
        own = str(self._target)
        return f"{own}/".startswith(f"{other}/") or other.startswith(f"{own}/") or fnmatchcase(own, other)

    def _places(self, text: str) -> Iterator[str]:
        """A path that is read, and what it matches."""
        bare = self._path(reached(self._session, text))
        system = bare.getFileSystem(self._conf)
        yield str(system.makeQualified(bare))
        if any(sign in text for sign in _GLOB):
            for found in system.globStatus(bare) or ():
                yield str(found.getPath())

    def _is_empty(self) -> bool:
        return bool(self._system.getFileStatus(self._target).isDirectory()) and not self._system.listStatus(
            self._target
        )

    def _is_ours(self) -> bool:
        return bool(self._system.exists(self._jvm.org.apache.hadoop.fs.Path(self._target, RECORD)))

    @contextmanager
    def written(self, record: dict[str, Any]) -> Iterator[str]:
        """The path to write to. After the block, in which `record` may still grow, the folder is where it belongs, in
        place of the one that was there; where the block fails, nothing has changed.
        """
        part, old = (self._beside(f".{self._target.getName()}.tmp.{os.getpid()}{end}") for end in ("", ".old"))
        try:
            self._remove(part)
            yield str(part)
            self._put(part, json.dumps(record, sort_keys=True).encode() + b"\n")
            if self.is_there():
                self._moved(self._target, old)
            self._moved(part, self._target)
        finally:
            self._remove(part)
            if not self.is_there() and self._system.exists(old):
                self._moved(old, self._target)
            self._remove(old)

    def _beside(self, name: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(self._target.getParent(), name)

    def _put(self, folder: Any, data: bytes) -> None:
        stream = self._system.create(self._jvm.org.apache.hadoop.fs.Path(folder, RECORD))
        stream.write(bytearray(data))
        stream.close()

    def _remove(self, path: Any) -> None:
        self._system.delete(path, True)  # noqa: FBT003  # with what is in it

    def _moved(self, source: Any, target: Any) -> None:
        if not self._system.rename(source, target):
            raise StorageFailed(f"{source} could not be renamed", where=str(target), hint="may this user write there?")
