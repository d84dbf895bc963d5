"""--dry-run says what would be done and what it costs, refuses what would be refused, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli import predict
from rnncli.data.limits import shown
from rnncli.errors import InputRefused, UsageError
from rnncli.events import unheard
from rnncli.workflows.dry_run import dry_evaluate, dry_predict, dry_train
from rnncli.workflows.train import train

DATA = Path(__file__).parents[2] / "sample_data" / "us_employment.csv"
WINDOWS = {"windows": None, "start": None, "until": None, "stride": None, "horizon": None, "refit": True}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    train(DATA, output=path, steps=4)
    return path


def test_a_training_is_foreseen(tmp_path: Path, model: Path) -> None:
    found = dry_train([str(DATA)], tmp_path / "m.safetensors", {"steps": 4}, unheard)
    assert (found.rows, found.series) == (2_640, 22)
    assert found.does == "train 4 steps, then go on with all rows"
    assert 0 < found.seconds_least <= found.seconds < 600
    size = model.stat().st_size
    assert found.writes[str(tmp_path / "m.safetensors")].startswith("new, about ")
    assert abs(found.parameters * 4 - size) < 0.3 * size
    assert found.memory > 100 << 20
    assert not list(tmp_path.iterdir())


def test_a_model_that_is_up_to_date_is_said_to_be(model: Path) -> None:
    before = model.read_bytes()
    found = dry_train([str(DATA)], model, {"steps": 4}, unheard)
    assert found.does == "nothing: the model is up to date"
    assert not found.writes
    again = dry_train([str(DATA)], model, {"steps": 5}, unheard)
    assert again.writes[str(model)].startswith("replaced, about ")
    assert model.read_bytes() == before


def test_a_forecast_is_foreseen(tmp_path: Path, model: Path) -> None:
    found = dry_predict([str(DATA)], str(model), tmp_path / "f.csv", {}, unheard)
    assert not list(tmp_path.iterdir())
    made = predict(DATA, model, output=tmp_path / "f.csv")
    size = (tmp_path / "f.csv").stat().st_size
    assert found.does == "forecast 18 rows of each series"
    assert (found.series, found.rows) == (made.series, 2_640)
    assert found.writes == {str(tmp_path / "f.csv"): f"new, {made.rows:,} rows, about {shown(size)}"}


def test_a_backtest_is_foreseen(model: Path) -> None:
    found = dry_evaluate([str(DATA)], str(model), None, {**WINDOWS, "windows": 2}, {}, unheard)
    assert found.does == "score 44 forecasts of 18 rows, after the network was trained once more"
    base = dry_evaluate([str(DATA)], None, None, WINDOWS, {}, unheard)
    assert base.does == "score 22 forecasts of 18 rows"


def test_what_would_be_refused_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,x\n2024-01-03,3\n")
    with pytest.raises(InputRefused, match="x"):
        dry_train([str(tmp_path / "d.csv")], None, {}, unheard)
    with pytest.raises(InputRefused, match="x"):
        dry_predict([str(tmp_path / "d.csv")], None, None, {}, unheard)


def test_models_of_other_tasks_are_not_rehearsed(tmp_path: Path) -> None:
    text, model = tmp_path / "t.txt", tmp_path / "t.safetensors"
    text.write_text("abcabcabc " * 40)
    train(text, output=model, split="char", steps=1)
    with pytest.raises(UsageError, match="is for forecasts"):
        dry_predict([str(text)], str(model), None, {}, unheard)
