"""No path that is written is read, whatever it is called; nothing has been done when that is said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.errors import ModelRefused, OutputExists, UsageError
from rnncli.workflows.paths import READ, WRITTEN, keep_apart

Run = Callable[..., subprocess.CompletedProcess[str]]
Listing = dict[str, bytes]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample_data: Path, small_model: Path) -> Path:
    """A working folder with data, a folder of data, a model and settings."""
    (tmp_path / "d").mkdir()
    for name in ("co2.csv", "d/co2.csv", "d/more.csv"):
        shutil.copy(sample_data / "co2_weekly.csv", tmp_path / name)
    shutil.copy(small_model, tmp_path / "m.safetensors")
    (tmp_path / "c.toml").write_text("quiet = true\n")
    (tmp_path / "link.csv").symlink_to("co2.csv")
    os.link(tmp_path / "co2.csv", tmp_path / "hard.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing(folder: Path) -> Listing:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("path", ["co2.csv", "./co2.csv", "d/../co2.csv", "link.csv", "hard.csv", "absent"])
def test_nothing_that_is_written_is_read(here: Path, written: str, read: str, path: str) -> None:
    if (read, written) == ("warm_start", "output"):
        return
    settings = {read: [str(here / "co2.csv")] if path != "absent" else [path], written: path}
    with pytest.raises(UsageError, match=f"{READ[read]}.* reads this, and {WRITTEN[written]} would") as error:
        keep_apart("train", settings)
    assert error.value.where == path
    assert WRITTEN[written] in error.value.hint


@pytest.mark.parametrize(
    ("data", "output"),
    [
        ("d", "d/new.csv"),
        ("d/", "d/co2.csv"),
        ("./d", "d/../d/new.parquet"),
        ("d/*.csv", "d/new.csv"),
        ("d/*", "d/m.safetensors"),
        ("**/*.csv", "new.csv"),
        ("d/co2.csv", "d/co2.csv"),
    ],
)
@pytest.mark.parametrize("read", ["data", "future_data", "forecasts"])
@pytest.mark.parametrize("written", ["output", "fix", "log_file"])
def test_nothing_is_written_where_the_next_run_would_read_it(
    here: Path, data: str, output: str, read: str, written: str
) -> None:
    before = listing(here)
    with pytest.raises(UsageError, match="reads this"):
        keep_apart("check", {read: ["a.csv", data], written: output})
    assert listing(here) == before


@pytest.mark.parametrize(
    "beside", ["T.partial", ".T.lock", ".T.tmp.7", ".T.partial.tmp.7", "./T.partial", "d/../.T.lock"]
)
@pytest.mark.parametrize("read", ["data", "model", "warm_start", "config"])
def test_what_lies_beside_a_model_is_not_read(here: Path, read: str, beside: str) -> None:
    (here / beside).write_text("precious")
    with pytest.raises(UsageError, match="reads this, and --output would replace or remove it"):
        keep_apart("train", {read: beside, "output": "T"})


def test_only_a_training_has_a_partial_file(here: Path) -> None:
    keep_apart("predict", {"data": here / "T.csv.partial", "output": here / "T.csv"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"output": "o.csv"}, {"state": "./o.csv"}),
        ({"output": "o.csv"}, {"log_file": "o.csv"}),
        ({"output": "o.csv"}, {"log_file": ".o.csv.lock"}),
        ({"output": "T"}, {"log_file": "T.partial"}),
        ({"state": "s"}, {"log_file": "d/../s"}),
        ({"fix": "link.csv"}, {"log_file": "hard.csv"}),
        ({"plot": "p.png"}, {"log_file": "p.png"}),
    ],
)
def test_no_path_is_written_by_two_options(here: Path, one: dict[str, str], other: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"--[\w-]+ and --[\w-]+ would both write this"):
        keep_apart("train", {"data": here / "d"} | one | other)


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "d", "output": "new.csv", "log_file": "run.jsonl"},
        {"data": ["d"], "output": "d/model.safetensors"},
        {"data": "d/*.csv", "output": "d/model.safetensors", "log_file": "d/run.log"},
        {"data": "-", "output": "-"},
        {"data": "co2.csv", "output": "/dev/stdout", "log_file": "/dev/stderr"},
        {"data": "co2.csv", "warm_start": "m.safetensors", "output": "./m.safetensors"},
        {"data": "co2.csv", "model": "m.safetensors", "state": "s.safetensors", "output": None},
        {"data": 3, "output": "new.csv"},
        {"data": Path(), "model": "m.safetensors"},
    ],
)
def test_what_does_not_meet_is_left_alone(here: Path, settings: dict[str, Any]) -> None:
    before = listing(here)
    keep_apart("train", settings)
    assert listing(here) == before


@pytest.mark.parametrize("option", ["data", "future_data", "forecasts"])
@pytest.mark.parametrize("given", ["", [""], ["co2.csv", ""], ("",)])
def test_an_empty_path_is_refused(option: str, given: Any) -> None:
    with pytest.raises(UsageError, match="a path of data is empty") as error:
        keep_apart("predict", {option: given})
    assert "variable" in error.value.hint


# Each command


@pytest.mark.parametrize(
    "call",
    [
        lambda: rnncli.train("co2.csv", output="co2.csv"),
        lambda: rnncli.train(["d"], output=Path("d/co2.csv")),
        lambda: rnncli.train("co2.csv", output="hard.csv", fresh=True),
        lambda: rnncli.train("d/*.csv", output="d/new.csv"),
        lambda: rnncli.predict("d", "m.safetensors", output="d/new.csv"),
        lambda: rnncli.predict("co2.csv", "m.safetensors", output="link.csv"),
        lambda: rnncli.predict("co2.csv", "m.safetensors", state="m.safetensors"),
        lambda: rnncli.predict("co2.csv", "m.safetensors", state="co2.csv"),
        lambda: rnncli.predict("co2.csv", "m.safetensors", output="d/more.csv", future_data=["d"]),
        lambda: rnncli.predict("co2.csv", "m.safetensors", output="s.csv", state="s.csv"),
        lambda: rnncli.check("d", fix="d/fixed.csv"),
        lambda: rnncli.check("c*.csv", fix="co2.csv"),
        lambda: rnncli.inspect_gradients("*", plot="p.png"),
        lambda: rnncli.train("", output="new"),
        lambda: rnncli.predict("", "m.safetensors"),
        lambda: rnncli.predict("co2.csv", "m.safetensors", future_data=""),
        lambda: rnncli.evaluate("co2.csv", forecasts=""),
        lambda: rnncli.evaluate("", "m.safetensors"),
        lambda: rnncli.check(""),
        lambda: rnncli.inspect_gradients(["co2.csv", ""]),
    ],
)
def test_every_workflow_refuses_before_it_begins(here: Path, call: Callable[[], object]) -> None:
    before = listing(here)
    with pytest.raises(UsageError):
        call()
    assert listing(here) == before


@pytest.mark.parametrize(
    "arguments",
    [
        "train co2.csv -o m2.safetensors --log-file co2.csv",
        "train d -o d/new.csv",
        "train co2.csv -o new --config c.toml --log-file c.toml",
        "train co2.csv -o c.toml --config c.toml",
        "train co2.csv -o new --warm-start m.safetensors --log-file m.safetensors",
        "predict d -m m.safetensors -o d/new.csv",
        "predict co2.csv -m m.safetensors --log-file m.safetensors",
        "predict co2.csv -m m.safetensors -o f.csv --log-file f.csv",
        "predict d -m m.safetensors --log-file d/log.csv",
        "predict co2.csv -m m.safetensors --state s --log-file ./s",
        "evaluate co2.csv -m m.safetensors -o link.csv",
        "evaluate d/co2.csv --forecasts d/more.csv -o d/more.csv",
        "evaluate co2.csv --forecasts d/*.csv -o d/more.csv",
        "check co2.csv --fix hard.csv",
        "check d --fix new.csv --log-file d/new.csv",
        "inspect-gradients co2.csv --log-file co2.csv",
        "info m.safetensors --log-file m.safetensors",
    ],
)
def test_every_command_refuses_before_it_begins(here: Path, run_rnncli: Run, arguments: str) -> None:
    before = listing(here)
    done = run_rnncli(*arguments.split(), cwd=here)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert "\nhint: " in done.stderr
    assert "this" in done.stderr
    assert listing(here) == before


def test_settings_that_the_environment_names_are_not_replaced(
    here: Path, run_rnncli: Run, environment: dict[str, str]
) -> None:
    before = listing(here)
    variables = environment | {"RNNCLI_CONFIG": "c.toml", "RNNCLI_LOG_FILE": "./c.toml"}
    done = run_rnncli("predict", "co2.csv", "-m", "m.safetensors", cwd=here, env=variables)
    assert (done.returncode, listing(here)) == (2, before)
    assert "error: ./c.toml: --config (c.toml) reads this, and --log-file would write into it" in done.stderr
    assert "--log-file is from RNNCLI_LOG_FILE" in done.stderr


def test_a_file_that_is_standard_input_is_not_replaced(here: Path, run_rnncli: Run) -> None:
    before = listing(here)
    with (here / "co2.csv").open() as file:
        done = run_rnncli("predict", "-", "-m", "m.safetensors", "-o", "co2.csv", cwd=here, stdin=file)
    assert (done.returncode, listing(here)) == (2, before)


# What a training may replace


def foreign(small_model: Path) -> dict[str, bytes]:
    """Files that are no model of ours."""
    import numpy as np
    from safetensors.numpy import save

    tensors = {"weight": np.zeros(3, np.float32)}
    return {
        "text": b"my thesis",
        "table": b"ds,y\n2024-01-01,1\n",
        "another's tensors": save(tensors),
        "another's metadata": save(tensors, {"format": "pt"}),
        "nested": (8 + (1 << 20)).to_bytes(8, "little") + b"[" * (1 << 20),
        "short": b"x",
        "zeros": bytes(100),
        "end of a model": small_model.read_bytes()[8:],
    }


KINDS = ("text", "table", "another's tensors", "another's metadata", "nested", "short", "zeros", "end of a model")


@pytest.mark.parametrize("place", ["new", "new.partial"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_replaces_no_file_that_is_none_of_ours(here: Path, small_model: Path, kind: str, place: str) -> None:
    (here / place).write_bytes(foreign(small_model)[kind])
    before = listing(here)
    with pytest.raises(OutputExists, match="did not write") as error:
        rnncli.train("co2.csv", output="new", fresh=True)
    assert (error.value.where, listing(here)) == (place, before)


def test_a_training_does_not_replace_the_state_of_a_stream(here: Path) -> None:
    rnncli.predict("co2.csv", "m.safetensors", state="new")
    with pytest.raises(OutputExists, match="did not write"):
        rnncli.train("co2.csv", output="new")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data,
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:100],
        lambda data: data[:40] + b"\xff" + data[41:],
        lambda data: bytes(8) + data[8:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    ],
)
@pytest.mark.parametrize("place", ["new", "new.partial"])
def test_a_training_replaces_what_was_a_model_or_nothing(
    here: Path, small_model: Path, damage: Callable[[bytes], bytes], place: str
) -> None:
    (here / place).write_bytes(damage(small_model.read_bytes()))
    rnncli.train("co2.csv", output="new", horizon=4, hidden=4, batch=8, steps=1, members=1, threads=1)
    assert sorted(path.name for path in here.glob("*new*")) == [".new.lock", "new"]
    assert rnncli.info("new").bytes


@pytest.mark.parametrize("kind", [*KINDS, "a model", "nothing"])
def test_predicting_replaces_no_file_that_is_no_state(here: Path, small_model: Path, kind: str) -> None:
    data = foreign(small_model) | {"a model": small_model.read_bytes(), "nothing": b""}
    (here / "s").write_bytes(data[kind])
    with pytest.raises(ModelRefused):
        rnncli.predict("co2.csv", "m.safetensors", state="s")
    assert (here / "s").read_bytes() == data[kind]
