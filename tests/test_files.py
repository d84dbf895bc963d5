from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rnncli import files
from rnncli.errors import InputRefused, ModelRefused, OutputExists, StorageFailed

Somebody = Callable[[], AbstractContextManager[None]]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_written_file_holds_the_bytes_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    files.atomic_write(tmp_path / "a.csv", b"x" * 100_000)
    assert (tmp_path / "a.csv").read_bytes() == b"x" * 100_000
    assert names(tmp_path) == ["a.csv"]


def test_no_bytes_make_an_empty_file(tmp_path: Path) -> None:
    files.atomic_write(tmp_path / "a", b"")
    assert (tmp_path / "a").read_bytes() == b""


def test_a_symbolic_link_is_replaced_and_its_target_untouched(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"old"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"new"


@pytest.mark.parametrize("aim", ["nowhere", "link"])
def test_a_link_that_leads_nowhere_is_replaced(tmp_path: Path, aim: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / aim)
    files.atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "link").read_bytes() == b"new"


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/dev/null")
    for path in ("/dev/null", tmp_path / "out"):
        with pytest.raises(StorageFailed, match="device or a pipe"):
            files.atomic_write(path, b"x")
    assert Path("/dev/null").is_char_device()


def test_the_mode_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.atomic_write(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_planted_link_at_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"safe")
    (tmp_path / f".a.tmp.{os.getpid()}").symlink_to(tmp_path / "victim")
    with pytest.raises(StorageFailed):
        files.atomic_write(tmp_path / "a", b"x")
    assert (tmp_path / "victim").read_bytes() == b"safe"
    assert not (tmp_path / "a").exists()


def test_a_full_disk_leaves_the_old_file_and_says_how_much_was_needed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(StorageFailed, match=r"a: cannot write: .*20,000 bytes needed") as caught:
            files.atomic_write(tmp_path / "a", b"x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]
    assert caught.value.exit_code == 8
    assert caught.value.hint


def test_a_leftover_of_a_dead_process_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".a.tmp.{dead.pid}").write_bytes(b"half")
    files.atomic_write(tmp_path / "a", b"x")
    assert names(tmp_path) == ["a"]


def test_a_leftover_of_an_earlier_process_with_our_id_is_swept(tmp_path: Path) -> None:
    (tmp_path / f".a.tmp.{os.getpid()}").write_bytes(b"half")
    files.atomic_write(tmp_path / "a", b"x")
    assert names(tmp_path) == ["a"]


def test_what_a_living_process_writes_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / f".a.tmp.{os.getppid()}").write_bytes(b"half")
    files.atomic_write(tmp_path / "a", b"x")
    assert names(tmp_path) == [f".a.tmp.{os.getppid()}", "a"]


def test_what_is_locked_from_another_container_is_not_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with (tmp_path / f".a.tmp.{dead.pid}").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        files.atomic_write(tmp_path / "a", b"x")
    assert len(names(tmp_path)) == 2


def test_other_files_are_not_swept(tmp_path: Path) -> None:
    for name in (".a.tmp.me", ".ab.tmp.1", "a.tmp.99999999", ".a.tmp.", ".a.tmp.99999999.x"):
        (tmp_path / name).write_bytes(b"")
    before = names(tmp_path)
    files.atomic_write(tmp_path / "a", b"x")
    assert names(tmp_path) == sorted([*before, "a"])


@pytest.mark.parametrize("check", [files.check_writable, lambda path: files.atomic_write(path, b"x")])
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, check: object) -> None:
    assert callable(check)
    (tmp_path / "file").write_bytes(b"")
    for path, reason in (
        (tmp_path / "missing" / "a", "no such file or directory"),
        (tmp_path, "is a directory"),
        (tmp_path / "file" / "a", "not a directory"),
    ):
        with pytest.raises(StorageFailed, match=reason) as caught:
            check(path)
        assert caught.value.hint
        assert str(path) in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(StorageFailed, match="permission denied"):
        files.check_writable(tmp_path / "a")


def test_a_read_only_file_system_is_refused() -> None:
    if os.access("/proc/sys", os.W_OK):
        pytest.skip("no read-only file system here")
    with pytest.raises(StorageFailed):
        files.check_writable("/proc/sys/a")


def test_too_little_space_is_known_before_the_work(tmp_path: Path) -> None:
    files.check_writable(tmp_path / "a", 1000)
    with pytest.raises(StorageFailed, match="bytes are free"):
        files.check_writable(tmp_path / "a", 1 << 60)
    assert names(tmp_path) == []


def test_reading_refuses_what_is_no_regular_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    assert files.read_bytes(tmp_path / "a") == b"x"
    with pytest.raises(InputRefused, match="No such file"):
        files.read_bytes(tmp_path / "b")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(ModelRefused, match=r"not a regular file|a folder"):
            files.read_bytes(path, ModelRefused)


def test_a_log_is_one_json_object_a_line_and_is_appended_to(tmp_path: Path) -> None:
    for step in (1, 2):
        with files.LineLog(tmp_path / "log") as log:
            log.write({"event": "step", "step": step, "loss": float("nan"), "name": "zwölf\nx"})
    lines = (tmp_path / "log").read_text().splitlines()
    like = {"event": "step", "loss": None, "name": "zwölf\nx"}
    assert [json.loads(line) for line in lines] == [like | {"step": s} for s in (1, 2)]


@pytest.mark.parametrize("text", [b"mine", b"a,b\n1,2\n", b'{"ds": 1}\n', b"\0\0", b"[1]\n", b'{"event": 1}\nmine\n'])
def test_a_file_that_is_no_log_is_not_written_into(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "log").write_bytes(text)
    with pytest.raises(OutputExists, match="no log"):
        files.LineLog(tmp_path / "log")
    assert (tmp_path / "log").read_bytes() == text


@pytest.mark.parametrize("text", [b"", b'{"event": "step"}\n', b'{"event": "step", "loss": 1.', b'{"event": 1}\n\n'])
def test_a_log_goes_on_also_after_a_line_that_was_cut_off(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "log").write_bytes(text)
    with files.LineLog(tmp_path / "log") as log:
        log.write({"event": "done"})
    assert (tmp_path / "log").read_bytes() == text + b'{"event": "done"}\n'


def test_a_log_on_a_full_disk_is_a_storage_error() -> None:
    with files.LineLog("/dev/full") as log, pytest.raises(StorageFailed, match="no space left") as caught:
        log.write({"a": 1})
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC


def test_a_log_is_not_written_to_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageFailed, match="cannot write") as caught:
        files.LineLog(tmp_path / "pipe")
    assert "pipe that nobody reads" in caught.value.hint


def test_a_log_waits_for_whoever_reads_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-c", "import sys, time; time.sleep(0.5); print(len(open(sys.argv[1]).readlines()))"]
    held = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)  # the other one is not there yet
    with subprocess.Popen([*command, tmp_path / "pipe"], stdout=subprocess.PIPE, text=True) as process:
        with files.LineLog(tmp_path / "pipe") as log:
            for _ in range(100):  # more than a pipe holds
                log.write({"text": "x" * 2000})
        os.close(held)
        assert process.communicate()[0] == "100\n"


# Another user's files


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder in which everybody may write; what locks is imported, for not everybody may read it."""
    with files.locked(tmp_path / "other"):
        pass
    tmp_path.chmod(0o777)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["a", "sales.safetensors", "f.csv", "with space.csv", "s.json"])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_a_lock_of_another_user_is_named(shared: Path, somebody: Somebody, name: str, mode: int) -> None:
    lock = shared / f".{name}.lock"
    lock.touch()
    lock.chmod(mode)
    with (
        somebody(),
        pytest.raises(StorageFailed, match=f"cannot lock {name}: permission denied") as caught,
        files.locked(name),
    ):
        pass
    assert caught.value.where == f".{name}.lock"
    assert "remove this file" in caught.value.hint


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_lock_that_is_no_file_is_named(tmp_path: Path, kind: str) -> None:
    lock = tmp_path / ".a.lock"
    lock.mkdir() if kind == "folder" else lock.symlink_to("elsewhere")
    with pytest.raises(StorageFailed, match="cannot lock a: ") as caught, files.locked(tmp_path / "a"):
        pass
    assert caught.value.where == str(lock)


def test_a_lock_that_cannot_be_made_is_the_fault_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed) as caught, files.locked(tmp_path / "absent" / "a"):
        pass
    assert (caught.value.where, caught.value.hint) == (str(tmp_path / "absent" / "a"), "make the folder first")
    assert not (tmp_path / "absent").exists()


def test_the_start_of_a_file_that_may_not_be_read_is_not_known(shared: Path, somebody: Somebody) -> None:
    (shared / "a").write_bytes(b"x")
    (shared / "a").chmod(0)
    with somebody(), pytest.raises(PermissionError):
        files.start_of("a", 2)


# What tells files apart


@pytest.mark.parametrize("other", ["a", "./a", "d/../a", "link", "hard", "linked/a", "loop/../a"])
def test_a_file_has_a_mark_under_every_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "loop").mkdir()
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "linked").symlink_to(tmp_path)
    os.link(tmp_path / "a", tmp_path / "hard")
    monkeypatch.chdir(tmp_path)
    assert files.marks(tmp_path / "a") & files.marks(other)
    assert not files.marks(tmp_path / "b") & files.marks(other)


@pytest.mark.parametrize("other", ["a", "d/../a", "link", "linked/a", "no/folder/../../a"])
def test_a_file_that_is_not_there_has_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "linked").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert files.marks(tmp_path / "a") & files.marks(other)
    assert not files.marks(tmp_path / "b") & files.marks(other)


def test_a_path_in_a_working_folder_that_is_gone_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path / "d")
    (tmp_path / "d").rmdir()
    assert files.marks("a") & files.marks("a")
    assert not files.marks("a") & files.marks("b")
    assert not files.marks("no/a") & files.marks("a")


def test_what_lies_beside_a_file_is_named(tmp_path: Path) -> None:
    for name in (".a.tmp.7", ".a.tmp.x", ".b.tmp.7", ".a.tmp.77"):
        (tmp_path / name).write_bytes(b"")
    found = {path.name for path in files.beside(tmp_path / "a")}
    assert found == {".a.lock", f".a.tmp.{os.getpid()}", ".a.tmp.7", ".a.tmp.77"}
    assert len(files.beside(tmp_path / "absent" / "a")) == 2


def test_the_start_of_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "loop").symlink_to("loop")
    assert files.start_of(tmp_path / "a", 2) == b"ab"
    assert files.start_of(tmp_path / "absent", 2) == files.start_of(tmp_path / "loop", 2) == b""
    with pytest.raises(StorageFailed, match="cannot read: is a directory"):
        files.start_of(tmp_path, 2)
