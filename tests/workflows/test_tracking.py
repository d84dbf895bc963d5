"""A training told to TensorBoard and MLflow: what arrives there is what happened, and a log stops no training."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.errors import MissingDependency, StorageFailed
from rnncli.events import Noted
from rnncli.training.events import Evaluated
from rnncli.workflows.tracking import Told, tracked

Run = Callable[..., subprocess.CompletedProcess[str]]
TINY: dict[str, Any] = {"horizon": 6, "hidden": 4, "layers": 1, "steps": 6, "members": 1, "batch": 16}


def scalars_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The scalars in TensorBoard's event files: records of a length, its checksum, a message, and its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, list[tuple[int, float]]] = {}
    for file in sorted(folder.iterdir()):
        data, at = file.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_tensorboard_is_told_every_step_every_evaluation_and_the_scores(sample_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX comes with the extra `test`")
    events: list[Any] = []
    folder = tmp_path / "board"
    made = rnncli.train(sample_data / "us_employment.csv", tensorboard=folder, on_event=events.append, **TINY)
    found = scalars_of(folder)
    losses = [
        (event.step, event.loss)
        for event in events
        if type(event).__name__ == "Stepped" and "search" in str(event.phase)
    ]
    assert [step for step, _ in found["search/loss"]] == [step for step, _ in losses] == [1, 2, 3, 4, 5, 6]
    assert [loss for _, loss in found["search/loss"]] == pytest.approx([loss for _, loss in losses])
    scores = [event.score for event in events if isinstance(event, Evaluated)]
    assert [score for _, score in found["search/held_out"]] == pytest.approx(scores)
    assert found["validation/seasonal_naive/mase"][0][1] == pytest.approx(made.validation["seasonal naive"]["mase"])
    assert {"refit/loss", "search/gradient_norm", "settings/text_summary"} <= set(found)


@pytest.mark.filterwarnings("ignore")  # those of libraries among themselves
def test_a_run_of_mlflow_that_was_broken_off_is_gone_on_with(sample_data: Path, tmp_path: Path) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="MLflow is not installed")
    uri, model = f"sqlite:///{tmp_path / 'runs.db'}", tmp_path / "m.safetensors"

    def stop(event: object) -> None:
        if isinstance(event, Evaluated):
            raise KeyboardInterrupt

    data = sample_data / "us_employment.csv"
    with pytest.raises(KeyboardInterrupt):
        rnncli.train(data, output=model, mlflow=uri, on_event=stop, **TINY)
    client = tracking.MlflowClient(uri)
    experiment = client.get_experiment_by_name("rnncli").experiment_id
    (broken,) = client.search_runs([experiment])
    assert broken.info.status == "KILLED"
    made = rnncli.train(data, output=model, mlflow=uri, **TINY)
    (run,) = client.search_runs([experiment])
    assert (run.info.run_id, run.info.status, run.info.run_name) == (broken.info.run_id, "FINISHED", "m")
    assert (run.data.params["hidden"], run.data.params["horizon"]) == ("4", "6")
    assert run.data.metrics["validation/forecast/wql"] == pytest.approx(made.validation["forecast"]["wql"])
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "search/loss")] == [1, 2, 3, 4, 5, 6]


class Full:
    """A tracker whose disk is full."""

    def __init__(self) -> None:
        self.asked = 0

    def settings(self, settings: Mapping[str, Any]) -> None:
        del settings

    def scalars(self, found: object) -> None:
        del found
        self.asked += 1
        raise OSError("no space left")

    def close(self, status: str) -> None:
        raise AssertionError(status)


def test_a_log_that_fails_is_said_once_and_stops_no_training() -> None:
    from rnncli.events import Phase

    said: list[Any] = []
    full = Full()
    told = Told(full, "--tensorboard", said.append)
    for step in (1, 2):
        told(Evaluated(Phase("search"), step, 0.5, 0.4, best=True))
    told.close("FINISHED")
    assert said == [Noted("--tensorboard takes no more (no space left); the training goes on without it")]
    assert full.asked == 1


def test_a_place_that_cannot_be_written_is_an_error_before_training(
    run_rnncli: Run, sample_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX comes with the extra `test`")
    (tmp_path / "file").write_text("")
    model = tmp_path / "m.safetensors"
    words = ("--horizon", 6, "--steps", 2, "--tensorboard", tmp_path / "file", "-o", model)
    done = run_rnncli("train", sample_data / "us_employment.csv", *words)
    assert (done.returncode, model.exists()) == (8, False)
    assert "--tensorboard cannot be written" in done.stderr


def test_a_tracker_is_closed_where_the_next_one_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX comes with the extra `test`")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    asked = {"tensorboard": tmp_path / "board", "mlflow": "http://127.0.0.1:9"}
    with (
        pytest.raises(MissingDependency, match="--mlflow needs a package that is not here") as refused,
        tracked(asked, "request", "m", {}, lambda event: None),
    ):
        raise AssertionError("nothing is tracked")
    assert refused.value.exit_code == 2
    (board,) = (tmp_path / "board").iterdir()
    assert board.stat().st_size > 0
    assert str(board) not in [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]


def test_a_database_needs_the_whole_of_mlflow(
    sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingDependency, match="the whole package mlflow, not mlflow-skinny") as refused:
        rnncli.train(sample_data / "us_employment.csv", mlflow=f"sqlite:///{tmp_path / 'runs.db'}", **TINY)
    assert refused.value.hint.startswith("pip install mlflow;")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore")  # those of libraries among themselves
def test_a_server_of_mlflow_that_does_not_answer_is_an_error_before_training(sample_data: Path) -> None:
    pytest.importorskip("mlflow.tracking", reason="MLflow is not installed")
    with pytest.raises(StorageFailed, match="--mlflow cannot be written: API request to http"):
        rnncli.train(sample_data / "us_employment.csv", mlflow="http://127.0.0.1:9", **TINY)


def test_nothing_of_the_extras_is_imported_where_they_are_not_asked_for(run_python: Run, sample_data: Path) -> None:
    extras = ("tensorboardX", "mlflow", "optuna", "onnx", "sqlalchemy")
    code = f"import sys, rnncli; rnncli.train(sys.argv[1], **{TINY}); print([n for n in {extras} if n in sys.modules])"
    assert run_python("-c", code, sample_data / "us_employment.csv").stdout == "[]\n"
