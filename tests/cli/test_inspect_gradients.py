"""What `rnncli inspect-gradients` and `train --watch-gradients` promise to shells and pipelines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rnncli
from rnncli.cli.doctor import shown
from rnncli.diagnostics.plot import draw
from rnncli.errors import GateFailed, MissingDependency, StorageFailed, UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]

FORGETS = ("--cell", "rnn", "--init", "uniform", "--hidden", 8, "--horizon", 6, "--threads", 1)
SHORT = {"cell": "rnn", "init": "uniform", "hidden": 8, "horizon": 6, "threads": 1, "quick": True, "series": 4}


@pytest.fixture(scope="module")
def jobs(sample_data: Path) -> Path:
    return sample_data / "us_employment.csv"


@pytest.fixture(scope="module")
def gated(run_rnncli: Run, jobs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """One run with a gate that fails, a trial and a picture."""
    picture = tmp_path_factory.mktemp("plot") / "gradients.png"
    command = ("inspect-gradients", jobs, *FORGETS, "--quick", "--series", 4, "--try-steps", 3, "--plot", picture)
    done = run_rnncli(*command, "--fail-on", "vanishing,exploding", "--json")
    return {"done": done, "picture": picture}


def test_a_gate_that_fails_ends_with_7_and_says_what_to_try(gated: dict[str, object]) -> None:
    done = gated["done"]
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 7, done.stderr
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (error["code"], error["message"]) == ("gate", "the gradients are vanishing (layer 0)")
    assert error["hint"].startswith("try train --")


def test_the_json_is_one_document_with_a_versioned_schema(gated: dict[str, object]) -> None:
    done = gated["done"]
    assert isinstance(done, subprocess.CompletedProcess)
    document = json.loads(done.stdout)
    assert document["schema"] == "rnncli.inspect-gradients/2"
    assert (document["diagnosis"], document["failed"]) == ("vanishing", ["vanishing"])
    (layer,) = document["layers"]
    assert layer["verdict"] == "vanishing"
    assert len(layer["gradient_by_lag"]["h"]) == layer["lag"] + 1 or layer["lag"] in document["seasons"]
    assert {trial["flags"] for trial in document["trials"]} <= {remedy["flags"] for remedy in document["remedies"]}
    assert all(trial["conclusion"] for trial in document["trials"])


def test_the_picture_is_written(gated: dict[str, object]) -> None:
    assert Path(str(gated["picture"])).read_bytes().startswith(b"\x89PNG")


def test_an_svg_has_the_same_bytes_each_time(jobs: Path, tmp_path: Path) -> None:
    done = rnncli.inspect_gradients(jobs, plot=tmp_path / "a.svg", **SHORT)
    written = (tmp_path / "a.svg").read_bytes()
    assert b"<svg" in written
    assert written == draw(done.report, done.frequency, "svg")


def test_a_gate_that_holds_is_silent(jobs: Path) -> None:
    done = rnncli.inspect_gradients(jobs, fail_on=["chaotic"], **SHORT)
    assert done.failed == ()
    done.check()


def test_from_python_a_gate_is_checked_by_the_caller(jobs: Path) -> None:
    done = rnncli.inspect_gradients(jobs, fail_on=["vanishing"], **SHORT)
    with pytest.raises(GateFailed, match="vanishing"):
        done.check()


def test_a_gate_of_an_unknown_name_is_refused(jobs: Path) -> None:
    with pytest.raises(UsageError, match="'vanising'") as refused:
        rnncli.inspect_gradients(jobs, fail_on=["vanising"])
    assert refused.value.hint == "did you mean vanishing?"
    with pytest.raises(UsageError) as refused:
        rnncli.inspect_gradients(jobs, fail_on=["bananas"])
    assert refused.value.hint.startswith("choose from: alike, batch-one, ")


def test_a_rule_is_said_once_and_the_diagnosis_first(jobs: Path) -> None:
    found = rnncli.inspect_gradients(jobs, **(SHORT | {"layers": 2}))
    assert len(found.report.faults) == 2
    lines = shown(found)
    assert "diagnosis  vanishing in layer 0 and layer 1" in lines[:2]
    assert "the rules" in lines
    assert sum("at the longest lag that matters" in line for line in lines) == 1
    assert max(map(len, lines)) <= 100


def test_without_matplotlib_the_hint_is_the_line_that_installs_it(
    jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependency) as refused:
        rnncli.inspect_gradients(jobs, plot=tmp_path / "a.png")
    assert refused.value.exit_code == 2
    assert refused.value.hint == "pip install 'rnncli[plot]'"


def test_a_picture_that_cannot_be_written_is_refused_before_any_work(jobs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        rnncli.inspect_gradients(jobs, plot=tmp_path / "a.pdf")
    with pytest.raises(StorageFailed):
        rnncli.inspect_gradients(jobs, plot=tmp_path / "absent" / "a.png")


@pytest.fixture(scope="module")
def watched(run_rnncli: Run, jobs: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """The log of a training whose gradients are watched every second step."""
    options = ("--horizon", 6, "--hidden", 6, "--layers", 2, "--members", 1, "--steps", 6, "--threads", 1)
    path = tmp_path_factory.mktemp("watched") / "m.safetensors"
    done = run_rnncli("train", jobs, *options, "--watch-gradients", 2, "--log-format", "json", "-o", path)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_gradients_that_are_watched_are_in_the_log(watched: list[dict[str, object]]) -> None:
    seen = [event for event in watched if event["event"] == "gradients"]
    assert [event["step"] for event in seen if event["phase"] == "search"] == [2, 4, 6]
    for event in seen:
        tensors = event["tensors"]
        assert isinstance(tensors, dict)
        assert {"layer0.weight_hh", "layer1.weight_ih"} <= set(tensors)
        assert all(set(one) == {"gradient", "weight", "update"} for one in tensors.values())
        assert 0 <= float(str(event["clipped"])) <= 1


def test_a_training_that_diverges_names_series_origin_layer_and_lag(
    run_rnncli: Run, jobs: Path, tmp_path: Path
) -> None:
    options = ("--cell", "rnn", "--activation", "relu", "--hidden", 8, "--members", 1, "--threads", 1, "--horizon", 6)
    steep = ("--learning-rate", 1e9, "--clip", 1e30, "--steps", 30)
    done = run_rnncli("train", jobs, *options, *steep, "-o", tmp_path / "m.safetensors", "--json")
    assert done.returncode == 9, done.stderr
    where = json.loads(done.stderr.splitlines()[-1])["error"]["where"]
    for word in ("series '", "origin ", "layer 0", "lag "):
        assert word in where


STUCK = ("--horizon", 6, "--from-scratch", "--members", 1, "--hidden", 4, "--threads", 1, "--learning-rate", 1e-9)


def test_a_training_that_goes_wrong_is_stopped_early(run_rnncli: Run, jobs: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    words = (*STUCK, "--steps", 210, "--watch-gradients", 500, "--fail-on", "collapse,plateau")
    done = run_rnncli("train", jobs, *words, "-o", path)
    assert (done.returncode, done.stdout) == (7, "")
    assert "the training is stopped: search: a plateau at step 105: the loss began at" in done.stderr
    assert "hint: inspect-gradients" in done.stderr
    assert not path.exists()
    assert Path(f"{path}.partial").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--fail-on", "plateau"), "--watch-gradients 10"),
        (("--watch-gradients", 5, "--fail-on", "plateaus"), "did you mean plateau?"),
    ],
)
def test_what_a_training_cannot_be_stopped_on_is_refused(
    run_rnncli: Run, jobs: Path, tmp_path: Path, words: tuple[object, ...], says: str
) -> None:
    done = run_rnncli("train", jobs, *words, "-o", tmp_path / "m.safetensors")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
