"""What may be read, and what memory there is for it: a table is refused by its size before it is read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices

COLUMNS = 10_000
VALUE = 8  # bytes of a number
WORK = 300 << 20  # bytes: of the part that is read, and what becomes of it
COPIES = 4  # of a table's values are in memory at once: as they are read, in order, on their grid
SMALL = 64 << 20  # bytes for which nobody asks how much memory the machine has
_GROUPS = {  # controllers -> folder, files: of versions 2 and 1
    "": ("/sys/fs/cgroup", "memory.max", "memory.current"),
    "memory": ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
}
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


@dataclass(frozen=True)
class Size:
    """Rows, bytes uncompressed, and bytes of memory for the values that are wanted; one may be an estimate."""

    rows: int
    bytes: int
    memory: int

    def __add__(self, other: Size) -> Size:
        return Size(self.rows + other.rows, self.bytes + other.bytes, self.memory + other.memory)


@dataclass(frozen=True)
class Limits:
    """The most rows, bytes (uncompressed) and columns that data may have; None leaves it to the memory there is."""

    rows: int | None = None
    bytes: int | None = None
    columns: int = COLUMNS
    kept: int | None = None  # bytes of memory that data may take

    @cached_property
    def memory(self) -> int:
        """Bytes that values may take, each once."""
        return 1 << 62 if self.left is None else max(self.left // COPIES, self._small)

    @property
    def _small(self) -> int:
        """Bytes for which nobody asks how much memory there is; none where somebody said how much there is."""
        return SMALL if self.kept is None else 0

    @cached_property
    def left(self) -> int | None:
        """Bytes of memory that there are for data; None if unknown."""
        return memory_left() if self.kept is None else self.kept

    def keep(self, size: int, folder: str | None, where: str) -> bool:
        """Whether so many bytes can be kept in memory, beside what work needs. InputRefused if they cannot, and no
        folder is named for them.
        """
        if size < self._small or self.left is None or size + WORK <= self.left:
            return True
        if folder is None:
            raise InputRefused(
                f"reading it takes {shown(size + WORK)} of memory or more, and there are {shown(self.left)}",
                where=where,
                hint="name a folder with room for the rest: --cache DIR; or give fewer series at a time",
            )
        return False

    @property
    def most_bytes(self) -> int:
        """Bytes of standard input beyond which nothing is accepted, whatever they hold."""
        return self.memory if self.bytes is None else min(self.bytes, self.memory)

    def allow(self, size: Size) -> bool:
        """Whether a table of this size may be read."""
        return not self._too_much(size)

    def check_columns(self, count: int, where: str) -> None:
        """InputRefused if a table has too many columns."""
        if count > self.columns:
            raise InputRefused(
                f"there are {count:,} columns, and at most {self.columns:,} are allowed",
                where=where,
                hint=f"if they are series, write one below the other; or allow more: --max-columns {count}",
            )

    def check(self, sizes: Sequence[Size], names: Iterable[str], together: str) -> None:
        """InputRefused if a table, or all `together`, are too large."""
        for size, name in zip(sizes, names, strict=True):
            self._refuse(size, name)
        self._refuse(sum(sizes, Size(0, 0, 0)), together)

    def _refuse(self, size: Size, where: str) -> None:
        found = self._too_much(size)
        if found:
            message, hint = found
            raise InputRefused(message, where=where, hint=hint)

    def _too_much(self, size: Size) -> tuple[str, str] | None:
        """What is too much, and what to do about it."""
        if self.rows is not None and size.rows > self.rows:
            return f"there are more than {self.rows:,} rows", "give fewer, or allow more: --max-rows"
        if self.bytes is not None and size.bytes > self.bytes:
            return f"it has more than {shown(self.bytes)} uncompressed", "give less, or allow more: --max-bytes"
        if size.memory > self._small and size.memory > self.memory:
            need, left = shown(COPIES * size.memory), shown(COPIES * self.memory)
            message = f"reading it takes {need} of memory or more, and there are {left}"
            return message, "give fewer series or columns at a time, or this program more memory"
        return None


def limits_of(choices: ColumnChoices) -> Limits:
    """The limits that were chosen."""
    return Limits(choices.max_rows, choices.max_bytes, choices.max_columns or COLUMNS, choices.memory)


def memory_left() -> int | None:
    """Bytes that this process can still get: of its limit, of its control group, of the machine. None if unknown."""
    known = [left for left in (address_space_left(), _of_group(), _of_machine()) if left is not None]
    return max(0, min(known)) if known else None


def shown(size: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit + 1 < len(_UNITS):
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 or amount >= 10 else f"{amount:.1f} {_UNITS[unit]}"


def address_space_left() -> int | None:
    """The memory that `ulimit -v` leaves; None if it sets no limit."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            return most - used
    return None


def _of_machine() -> int | None:
    with suppress(OSError, ValueError):
        facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(facts["MemAvailable"].split()[0]) * 1024
    return None


def _of_group() -> int | None:
    """The memory that the control groups of a container or a service leave; cached files count as free."""
    lefts = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            kinds, path = line.split(":", 2)[1:]
            if kinds in _GROUPS:
                root, most, used = _GROUPS[kinds]
                here = Path(root) / path.lstrip("/")
                groups = [group for group in (here, *here.parents) if group.is_relative_to(root)]
                lefts += [left for group in groups if (left := _of_one_group(group, most, used)) is not None]
    return min(lefts, default=None)


def _of_one_group(group: Path, most: str, used: str) -> int | None:
    with suppress(OSError, ValueError, KeyError):  # without a limit there is no file, or it says "max"
        facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        cached = int(facts["active_file"]) + int(facts["inactive_file"])
        return int((group / most).read_text()) - int((group / used).read_text()) + cached
    return None
