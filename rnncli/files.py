"""The one module that writes: whole files that are either the old or the new one, locks, and log lines."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import json
import math
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Self

from rnncli.errors import InputRefused, OutputExists, OutputLocked, RnncliError, StorageFailed, without_secrets
from rnncli.registry import local_path, split_url

Mark = tuple[Any, ...]

_HINTS = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EFBIG: "raise the file size limit (ulimit -f)",
    errno.EROFS: "the file system is read-only: write somewhere else",
    errno.EACCES: "write to a folder where you may create files",
    errno.EPERM: "write to a folder where you may create files",
    errno.ENOENT: "make the folder first",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "give the path of a file, not of a folder",
    errno.EEXIST: "remove the file .NAME.tmp.PID beside it",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.ENXIO: "this is a pipe that nobody reads, or a socket: give a file",
}
_LONGEST_EVENT = 1 << 20  # bytes of a log's last line
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)  # some network file systems cannot sync folders


def atomic_write(
    path: str | os.PathLike[str], data: bytes, more: Iterable[memoryview] = (), size: int | None = None
) -> None:
    """Put `data`, and `more` behind it, at `path`, or leave what is there untouched: `.NAME.tmp.PID` beside it, synced,
    renamed.

    A symbolic link at `path` is replaced, not followed. Raises StorageFailed, which names the path and the bytes, of
    which there are `size` in all.
    """
    size = len(data) if size is None else size
    target = _target(path, size)
    sweep(target)
    part = _part(target)
    try:
        with _removed_on_failure(part):
            _write_new(part, itertools.chain([memoryview(data)], more))
            part.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        _fail(error, target, size)


def check_writable(path: str | os.PathLike[str], bytes_needed: int = 0) -> None:
    """StorageFailed if it can be known now that writing `bytes_needed` bytes to `path` will fail."""
    target = _target(path, bytes_needed)
    try:
        _check_folder(target.parent)
        space = os.statvfs(target.parent)
    except OSError as error:
        _fail(error, target, bytes_needed)
    free = space.f_frsize * (space.f_bfree if os.geteuid() == 0 else space.f_bavail)
    if space.f_blocks and free < bytes_needed:
        _fail(OSError(errno.ENOSPC, f"only {free:,} bytes are free"), target, bytes_needed)


@contextlib.contextmanager
def locked(path: str | os.PathLike[str] | None, wait: float = 0.0) -> Iterator[None]:
    """Be the one writer of `path`, or wait up to `wait` seconds to become it; nothing is locked without a path.

    `.NAME.lock` beside it is locked, and stays: a lock that is removed can be held twice. The death of its holder
    frees it. Raises OutputLocked, which names the holder, or StorageFailed.
    """
    if path is None:
        yield
        return
    from filelock import Timeout, UnixFileLock  # costs as much as NumPy, and most commands write no file

    target = _target(path, 0)
    try:
        _check_folder(target.parent)  # the lock would make it
    except OSError as error:
        _fail(error, target, 0)
    file = _lock_file(target)
    lock = UnixFileLock(file, timeout=wait, poll_interval=0.05, mode=0o644)
    try:
        lock.acquire()
        os.utime(file)
    except Timeout:
        hint = "wait for it to end, or give it time: --lock-wait 60s"
        raise OutputLocked(
            f"another run is writing this file{_holder(file)}", hint=hint, where=os.fspath(path)
        ) from None
    except OSError as error:
        _fail_to_lock(error, file, target)
    try:
        sweep(target)
        yield
    finally:
        lock.release()


def _fail_to_lock(error: OSError, lock: Path, target: Path) -> NoReturn:
    """StorageFailed about the lock, where there is one that cannot be used, or else about the file."""
    if not os.path.lexists(lock):
        _fail(error, target, 0)
    raise StorageFailed(
        f"cannot lock {target.name}: {(error.strerror or str(error)).lower()}",
        hint=f"while no run writes {target.name}, remove this file; who shares an output needs the right to write both",
        where=os.fspath(lock),
    ) from error


def _holder(lock: Path) -> str:
    """Who holds a lock and since when, as far as the system tells."""
    with contextlib.suppress(OSError, ValueError):
        status = lock.stat()
        since = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(" ", "seconds").replace("+00:00", " UTC")
        place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
        entries = (line.split() for line in Path("/proc/locks").read_text().splitlines())
        process = next((int(entry[4]) for entry in entries if entry[1] == "FLOCK" and entry[5] == place), 0)
        command = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return f": process {process} ({command[:200]}), since {since}"
    return ""


def read_bytes(path: str | os.PathLike[str], refused: type[RnncliError] = InputRefused) -> bytes:
    """The bytes of a regular file. Raises `refused` if it is none, StorageFailed if the disk cannot read it."""
    try:
        with open(path, "rb", opener=without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise refused("this is not a regular file", where=os.fspath(path))
            return file.read()
    except IsADirectoryError:
        raise refused("this is a folder, not a file", where=os.fspath(path)) from None
    except OSError as error:
        if error.errno == errno.EIO:
            raise StorageFailed(f"cannot read: {error.strerror}", where=os.fspath(path)) from error
        raise refused(f"cannot open: {error.strerror}", where=os.fspath(path)) from error


def start_of(path: str | os.PathLike[str], size: int) -> bytes:
    """The first bytes of a file, none if nothing is there. PermissionError; StorageFailed where it cannot be read."""
    try:
        with open(path, "rb", opener=without_waiting) as file:
            return file.read(size)
    except PermissionError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):  # a link to itself is nothing
            return b""
        _fail(error, Path(path), 0, "read")


def remove(path: str | os.PathLike[str]) -> None:
    """Remove a file that is not needed any more, if it is there."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        _fail(error, Path(path), 0, "remove")


def marks(path: str | os.PathLike[str]) -> frozenset[Mark]:
    """The identity of a file, whatever it is called: two paths that share a mark lead to one file.

    A mark is (device, inode) of what is there, or (folder, name) of where it is or would be, before and after links
    are followed; a folder is told by `folder_mark`. A URL has a mark for each folder that its name begins with.
    """
    local = local_path(os.fspath(path))
    if local is None:
        return frozenset(_marks_of_url(os.fspath(path)))
    given = Path(local)
    found: set[Mark] = {(folder_mark(place.parent), place.name) for place in (given, Path(_real(given)))}
    with contextlib.suppress(OSError):
        status = given.stat()
        found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _marks_of_url(url: str) -> Iterator[Mark]:
    """(folder, rest) of every folder above what a URL leads to, and (URL,) for itself: without query and escapes."""
    scheme, path, _ = split_url(url)
    bare = f"{scheme}://{path.rstrip('/')}"
    yield (bare,)
    places = [place for place in range(bare.index("://") + 3, len(bare)) if bare[place] == "/"]
    for place in places:
        yield (bare[:place],), bare[place + 1 :]


def folder_mark(folder: str | os.PathLike[str]) -> Mark:
    """The identity of a folder: device and inode, or the real path of one that cannot be looked at."""
    try:
        status = Path(folder).stat()
    except OSError:
        return (_real(folder),)
    return status.st_dev, status.st_ino


def _real(path: str | os.PathLike[str]) -> str:
    """The path without links, as far as the system tells: the working folder may be gone."""
    try:
        return os.path.realpath(path)
    except OSError:
        return os.fspath(path)


def beside(path: str | os.PathLike[str]) -> list[Path]:
    """The files that a write of `path` makes, holds or removes beside it: lock, the part that is written, leftovers."""
    local = local_path(os.fspath(path))
    target = Path(local or "")
    if not target.name:  # a folder, which is refused when it is written; or no file of this machine
        return []
    return [_lock_file(target), _part(target), *_leftovers(target)]


def refuse_existing(output: str | os.PathLike[str]) -> None:
    """OutputExists if something is at `output`."""
    if os.path.lexists(output):
        raise OutputExists("there is a file already", where=os.fspath(output), hint="--if-exists replace")


def without_waiting(path: str, flags: int) -> int:
    """An opener for `open`: a pipe without a writer does not keep us waiting."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def sweep(target: Path) -> None:
    """Remove what runs that were killed while they wrote `target` have left beside it."""
    for file in _leftovers(target):
        if not _alive(int(file.name.rpartition(".")[2])):
            _remove_if_unlocked(file)


def _lock_file(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.tmp.{os.getpid()}")


def _leftovers(target: Path) -> list[Path]:
    """Parts of `target` that runs are writing, or were writing when they ended."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.tmp\.\d+")
    with contextlib.suppress(OSError):
        return [file for file in target.parent.iterdir() if pattern.fullmatch(file.name)]
    return []


class LineLog:
    """A file of JSON lines, appended to one whole line at a time, so that several runs can share it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        _refuse_no_log(self._path)
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            self._descriptor: int | None = os.open(self._path, flags, 0o666)
            os.set_blocking(self._descriptor, True)  # a pipe that nobody reads must not keep us waiting, a full one may
        except OSError as error:
            _fail(error, self._path, 0)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one JSON object, without secrets of URLs; numbers that are not finite become null. StorageFailed."""
        line = json.dumps(_plain(record), ensure_ascii=False, allow_nan=False).encode(errors="backslashreplace") + b"\n"
        if self._descriptor is None:
            raise ValueError("the log is closed")
        try:
            _write_all(self._descriptor, memoryview(line))
        except OSError as error:
            _fail(error, self._path, len(line))

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _refuse_no_log(path: Path) -> None:
    """OutputExists if there is a file that does not end in an event: a line of JSON in it would damage it."""
    with contextlib.suppress(OSError):  # opening it says what is wrong
        if not stat.S_ISREG(path.stat().st_mode) or not path.stat().st_size:
            return
        with path.open("rb") as file:
            file.seek(-min(path.stat().st_size, _LONGEST_EVENT), os.SEEK_END)
            last = file.read().rstrip(b"\n").rsplit(b"\n", 1)[-1]
        if not _is_event(last):
            raise OutputExists(
                "there is a file already that is no log of rnncli's", where=os.fspath(path), hint="name another"
            )


def _is_event(line: bytes) -> bool:
    try:
        return "event" in json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return b'{"event"' in line[:200]  # one that was cut off when a disk was full


def _target(path: str | os.PathLike[str], bytes_needed: int) -> Path:
    """The path, if what is there now may be replaced: devices and pipes must never be."""
    target = Path(path)
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself is a link all the same
            return target
        _fail(error, target, bytes_needed)
    if stat.S_ISDIR(mode):
        _fail(OSError(errno.EISDIR, os.strerror(errno.EISDIR)), target, bytes_needed)
    if not stat.S_ISREG(mode):
        raise StorageFailed(
            "cannot write: this is a device or a pipe, not a file",
            hint="without -o, results go to standard output",
            where=os.fspath(path),
        )
    return target


def _check_folder(folder: Path) -> None:
    if not stat.S_ISDIR(folder.stat().st_mode):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        code = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(code, os.strerror(code))


def _write_new(part: Path, pieces: Iterable[memoryview]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(part, flags, 0o666)  # less the umask
    try:
        _lock(descriptor)
        for piece in pieces:
            _write_all(descriptor, piece)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, rest: memoryview) -> None:
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _lock(descriptor: int) -> bool:
    """Hold the open file, so that a sweep from another container, where our process id says nothing, spares it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def _remove_if_unlocked(part: Path) -> None:
    with contextlib.suppress(OSError):  # a leftover that cannot be removed is no reason to fail
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if _lock(descriptor):
                part.unlink()
        finally:
            os.close(descriptor)


def _alive(process: int) -> bool:
    """Whether another process has this id; a file of our own id was left by an earlier process."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:  # somebody else's: not ours to remove
        raise
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fail(error: OSError, path: Path, size: int, what: str = "write") -> NoReturn:
    reason = (error.strerror or str(error)).lower()
    needed = f" ({size:,} bytes needed)" if size else ""
    hint = _HINTS.get(error.errno or 0, "look at the disk and at the system's log")
    raise StorageFailed(f"cannot {what}: {reason}{needed}", hint=hint, where=os.fspath(path)) from error
