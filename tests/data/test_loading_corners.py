"""The rare ways in which loading and writing fail, each by a cause that is real where the machine offers one."""

from __future__ import annotations

import errno
import gzip
import io
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

import rnncli
from rnncli import checkpoint, files
from rnncli.data import limits
from rnncli.data.load import load_panel
from rnncli.data.reach import reach
from rnncli.data.source import sources
from rnncli.errors import InputRefused, ModelRefused, StorageFailed, UsageError
from rnncli.evaluation.saved_table import load_saved
from rnncli.spec import ColumnChoices
from rnncli.tasks.plan import Plan
from rnncli.training import progress as states
from rnncli.training import unfinished
from rnncli.training.fit import begin
from rnncli.training.progress import Member, Progress
from rnncli.training.session import initial_weights
from rnncli.workflows import train as training

Write = Callable[[bytes], Path]
Somebody = Callable[[], AbstractContextManager[None]]
MEMORY = Path("/proc/self/mem")  # a regular file of which the first byte cannot be read: EIO
DAYS = "".join(f"2024-01-{day:02},{day}\n" for day in range(1, 29))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(data: bytes) -> Path:
        path = tmp_path / "data.csv"
        path.write_bytes(data)
        return path

    return made


def failing(number: int) -> Callable[..., NoReturn]:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


def refused(data: Any, match: str, **choices: Any) -> InputRefused:
    with pytest.raises(InputRefused, match=match) as caught:
        load_panel(data, ColumnChoices(**choices))
    return caught.value


# What is given


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no format 'xml'"):
        sources("a.xml", ColumnChoices(format="xml"))
    with pytest.raises(UsageError, match="data cannot be an int"):
        sources(3)
    refused([], "no data were given")
    refused("a\0b.csv", "NUL")
    refused("x" * 5000 + ".csv", "too long")
    refused(tmp_path, "no data files")
    assert refused(tmp_path / "nowhere" / "a.csv", "no such file").hint.startswith("there is no folder")
    refused("/dev/null", "not a regular file", format="csv")


# What may not be seen


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with data in folders of which one may not be listed, one not entered, and one neither."""
    for name, mode in (("unlisted", 0o311), ("unentered", 0o644), ("closed", 0o600)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("ds,y\n" + DAYS)
        (tmp_path / name).chmod(mode)
    (tmp_path / "a.csv").write_text("ds,y\n" + DAYS)
    (tmp_path / "a.csv").chmod(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    ["unlisted", "unentered", "closed", "unentered/a.csv", "closed/*.csv", "closed/deep/a.csv", "a.csv", "closed/b"],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="what another user owns")
def test_what_may_not_be_seen_is_refused_as_data(locked: Path, somebody: Somebody, path: str) -> None:
    with somebody():
        error = refused(path, "cannot open: permission denied", format="csv")
    assert error.where.startswith(path.split("/", maxsplit=1)[0])
    assert "let the user who runs this read it" in error.hint
    assert locked.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="what another user owns")
@pytest.mark.parametrize("path", ["unlisted", "unentered", "closed", "closed/*.csv", "**/*.csv"])
def test_what_may_not_be_seen_is_kept_apart_as_far_as_it_is_known(locked: Path, somebody: Somebody, path: str) -> None:
    with somebody():
        found = reach(path)
    assert not found.includes(files.marks(locked / "elsewhere.csv")) or path == "**/*.csv"
    assert path.startswith(("closed/", "**")) or found.includes(files.marks(locked / path / "new.csv"))


def test_a_folder_on_a_broken_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "stat", failing(errno.EIO))
    with pytest.raises(StorageFailed, match="cannot read: input/output error"):
        sources(tmp_path)


def test_a_pipe_without_anything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    refused("-", "standard input is empty")
    monkeypatch.setattr(sys, "stdin", None)
    refused("-", "standard input is closed")


@pytest.mark.skipif(not MEMORY.exists(), reason="there is no /proc here")
def test_what_the_disk_cannot_read_is_its_failure() -> None:
    with pytest.raises(StorageFailed, match="cannot read"):
        load_panel(MEMORY, ColumnChoices(format="csv"))


@pytest.mark.parametrize(("number", "error"), [(errno.EIO, StorageFailed), (errno.EACCES, InputRefused)])
def test_what_cannot_be_opened_is_told_apart(
    write: Write, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    path = write(b"ds,y\n" + DAYS.encode())
    monkeypatch.setattr(os, "open", failing(number))
    with pytest.raises(error):
        load_panel(path)
    with pytest.raises(StorageFailed if number == errno.EIO else ModelRefused):
        checkpoint.load(path, lambda _: {})


# What is in a file


def test_lines_that_are_no_table_are_refused(write: Write) -> None:
    refused(write(b",".join(letter * 100_000 for letter in (b"a", b"b", b"c"))), "header but no row")
    refused(write(b'""\n1\n2\n'), "no column names")
    refused(write(f"ds,y\n{DAYS}2024-01-29,NA\n2024-01-30,closed\n".encode()), "'closed' in column 'y'")


def test_a_file_that_is_cut_off_late_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    numbers = np.random.default_rng(0).random(60_000)
    rows = "".join(f"{np.datetime64('2000-01-01') + day},{value}\n" for day, value in enumerate(numbers))
    path.write_bytes(gzip.compress(f"ds,y\n{rows}".encode())[:-2000])
    refused(path, "cannot be read", max_rows=10_000_000)
    refused(path, "cannot be read")


def test_what_only_arrow_refuses_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise pa.ArrowInvalid("something new")

    monkeypatch.setattr(arrow_csv, "read_csv", refuse)
    refused(write(f"ds,y\n{DAYS}".encode()), "cannot be read as CSV: something new")


def test_a_lack_of_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table({"ds": np.arange(5), "y": np.arange(5.0)}), path)

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise pa.ArrowMemoryError("no")

    monkeypatch.setattr(parquet, "ParquetFile", fail)
    with pytest.raises(MemoryError):
        load_panel(path)


def test_moments_that_see_nothing_or_are_none(write: Write) -> None:
    path = write(f"ds,y\n{DAYS}".encode())
    assert refused(path, "no row is as old", as_of="2023-01-01").hint == "the first is of 2024-01-01"
    with pytest.raises(UsageError, match="--as-of: 'noon' is no time that is known"):
        load_panel(path, ColumnChoices(as_of="noon"))
    steps = write(b"step,y\n" + b"".join(b"%d,1\n" % step for step in range(9)))
    with pytest.raises(UsageError, match="--as-of: 'noon' is not a whole number") as caught:
        load_panel(steps, ColumnChoices(as_of="noon"))
    assert caught.value.hint == "write a whole number, as the data have them"


def test_statics_hold_over_gaps(write: Write) -> None:
    lines = [f"{line},7" for line in DAYS.splitlines()]
    panel = load_panel(
        write("\n".join(["ds,y,x", *lines[:5], *lines[8:], ""]).encode()), ColumnChoices(static=("x",))
    ).panel
    assert panel.values[:, 1].tolist() == [7] * 28
    assert np.isnan(panel.values[5:8, 0]).all()


def test_a_wide_table_without_a_value_is_refused(write: Write) -> None:
    refused(write(b"ds,a,b\n2024-01-01,,\n2024-01-02,,\n"), "no column has a value", wide=True)


def test_columns_that_are_no_levels_are_no_forecast(write: Write, tmp_path: Path) -> None:
    loaded = load_panel(write(f"ds,y\n{DAYS}".encode()))
    saved = tmp_path / "saved.csv"
    saved.write_text("ds,forecast,q0.5,qx,q7\n2024-01-29,1,1,2,3\n")
    assert load_saved(saved, loaded).levels == (0.5,)


def test_a_copy_that_csv_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    days = np.arange("2024-01-01", "2024-01-13", dtype="datetime64[D]").astype("datetime64[us]")
    more = {"list": pa.array([[1.0]] * 12), "flag": pa.array([True, None] * 6)}
    parquet.write_table(pa.table({"ds": days, "y": np.arange(12.0), **more}), path)
    with pytest.raises(InputRefused, match="column 'list' is of type list"):
        rnncli.check(path, fix=tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


# Files and memory


def test_a_file_that_cannot_be_removed_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="remove"):
        files.remove(tmp_path)
    files.remove(tmp_path / "absent")
    files.refuse_existing(tmp_path / "absent")


def test_nobody_is_named_where_nobody_is_known(tmp_path: Path) -> None:
    assert files._holder(tmp_path / "absent") == ""


@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_folder_that_cannot_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fails: bool
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112  # a link
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    if fails:
        with pytest.raises(StorageFailed):
            files.atomic_write(tmp_path / "a", b"x")
    else:
        files.atomic_write(tmp_path / "a", b"x")
        assert (tmp_path / "a").read_bytes() == b"x"


def test_memory_that_nobody_tells_of_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", failing(errno.ENOENT))
    monkeypatch.setattr("resource.getrlimit", lambda _: (-1, -1))
    assert limits.memory_left() is None
    assert limits.Limits().memory == 1 << 62


# A training at rest


@pytest.fixture(scope="module")
def plan(sample_data: Path) -> Plan:
    found: list[Plan] = []

    class Enough(BaseException):
        pass

    def keep(loaded: Any, plan: Plan, *_: Any) -> NoReturn:
        found.append(plan)
        raise Enough

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "request_of", keep)
        with pytest.raises(Enough):
            rnncli.train(sample_data / "us_employment.csv", horizon=3, hidden=4, members=2)
    return found[0]


def test_a_training_between_two_phases_goes_to_a_file_and_back(plan: Plan) -> None:
    weights = initial_weights(plan, 0)
    at_rest = Progress(plan.training, [Member(weights, 5), Member(weights, 6, weights)])
    tensors, meta = states.to_file(at_rest, plan)
    assert len(tensors) == 3 * len(weights)
    back = states.from_file(checkpoint.Model(meta, tensors), plan, "cpu")
    assert (back.training, [(one.best_step, one.run) for one in back.members]) == (
        plan.training,
        [(5, None), (6, None)],
    )
    assert back.members[0].trained is None
    assert back.members[1].trained is not None
    assert (back.step, set(states.layout(meta, plan))) == (0, set(tensors))
    with pytest.raises(UsageError, match="its members"):
        states.layout(meta | {"members": meta["members"] * 2}, plan)


# The same in one process


def test_later_rows_are_not_seen(write: Write) -> None:
    days = [*DAYS.splitlines(), "2024-01-29,"]
    path = write("\n".join(["ds,y,x", *(f"{day},{place}" for place, day in enumerate(days)), ""]).encode())
    assert len(load_panel(path, ColumnChoices(as_of="2024-01-10", target=("y",))).panel.values) == 10
    panel = load_panel(path, ColumnChoices(as_of="2024-01-10", future=("x",))).panel
    assert np.isnan(panel.values[:, 0]).tolist() == [False] * 10 + [True] * 19
    assert panel.values[:, 1].tolist() == list(range(29))


def test_steps_are_moments(write: Write) -> None:
    path = write("".join(["t,y\n", *(f"{step},{step}.5\n" for step in range(30))]).encode())
    assert len(load_panel(path, ColumnChoices(as_of="9")).panel.values) == 10


def test_a_bad_series_is_left_out_or_refused(write: Write) -> None:
    good = [f"a,{day}" for day in DAYS.splitlines()]
    path = write("\n".join(["id,ds,y", *good, "b,2024-01-01,inf", "c,2024-01-01,1e200", ""]).encode())
    loaded = load_panel(path, ColumnChoices(on_bad_series="skip"))
    assert (loaded.panel.ids, [error.series for error in loaded.skipped]) == (("a",), ["b", "c"])
    refused(path, "infinite")
    refused(write(b"id,ds,y\na,2024-01-01,inf\n"), "infinite", on_bad_series="skip")


def test_a_glob_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "*.csv", "no file matches")


def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1 << 50, 1 << 50))
    assert limits.address_space_left() is not None
    monkeypatch.setattr("resource.getrlimit", lambda _: (1, 1))
    assert limits.memory_left() == 0


def test_a_training_at_rest_says_so(plan: Plan) -> None:
    waiting, searched = Member(run=begin(initial_weights(plan, 0))), Member(initial_weights(plan, 0))
    assert unfinished._place(Progress(plan.training, [waiting, searched])) == "step 0, 1 of 2 searches done"
