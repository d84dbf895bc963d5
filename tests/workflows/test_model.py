"""A model in memory is taken wherever a model file is, and is the same to the last bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.workflows.result import Training

QUICK: dict[str, Any] = {"steps": 4, "hidden": 6, "layers": 1, "batch": 8, "members": 1, "threads": 1}


@pytest.fixture(scope="module")
def bikes(sample_data: Path) -> pa.Table:
    """Hours with covariates of every kind; the last day waits for its target."""
    table = parquet.read_table(sample_data / "bike_rentals.parquet")
    table = table.slice(table.num_rows - 900)
    known = [value if row < 876 else None for row, value in enumerate(table["rentals"].to_pylist())]
    return table.set_column(table.column_names.index("rentals"), "rentals", pa.array(known, pa.float64()))


@pytest.fixture(scope="module")
def training(bikes: pa.Table) -> Training:
    said = {"target": "rentals", "future": ["holiday"], "past": ["weather"], "keep_covariates": True}
    return rnncli.train(bikes, horizon=24, **said, **(QUICK | {"members": 2}))


@pytest.fixture(scope="module")
def saved(training: Training, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "bikes.safetensors"
    assert training.save(path) == path.stat().st_size
    return path


def test_a_training_saves_the_file_that_train_would_have_written(jobs: Path, tmp_path: Path) -> None:
    written = rnncli.train(jobs, horizon=3, output=tmp_path / "a", **QUICK)
    rnncli.train(jobs, horizon=3, **QUICK).save(tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert written.save(tmp_path / "c") == written.bytes
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()


@pytest.fixture(scope="module")
def jobs(sample_data: Path) -> Path:
    return sample_data / "us_employment.csv"


@pytest.fixture(scope="module")
def employment(jobs: Path) -> Training:
    """A model of them."""
    return rnncli.train(jobs, horizon=3, **QUICK)


@pytest.mark.parametrize("held", ["training", "forecaster", "info"])
def test_a_forecast_is_the_same_to_the_last_bit(bikes: pa.Table, training: Training, saved: Path, held: str) -> None:
    model = {"training": training, "forecaster": training.model, "info": rnncli.info(saved)}[held]
    assert rnncli.predict(bikes, model).encode() == rnncli.predict(bikes, saved).encode()


def test_an_evaluation_is_the_same(bikes: pa.Table, training: Training, saved: Path) -> None:
    of_object, of_file = (rnncli.evaluate(bikes, model, refit=False) for model in (training, saved))
    assert of_object.to_json(by="series") == of_file.to_json(by="series")


def test_a_forecast_in_memory_is_scored_as_its_file(jobs: Path, employment: Training, tmp_path: Path) -> None:
    forecast = rnncli.predict(jobs, employment, as_of="2015-06-01")
    forecast.write(tmp_path / "f.parquet")
    of_object, of_file = (rnncli.evaluate(jobs, forecasts=given) for given in (forecast, tmp_path / "f.parquet"))
    assert of_object.to_json() == of_file.to_json()


def test_a_refit_is_the_same(bikes: pa.Table, training: Training, saved: Path) -> None:
    of_object, of_file = (rnncli.evaluate(bikes, model, threads=1) for model in (training, saved))
    assert of_object.refitted
    assert of_object.to_json() == of_file.to_json()


def test_an_inspection_is_the_same_but_for_what_it_is_called(bikes: pa.Table, training: Training, saved: Path) -> None:
    one, other = (rnncli.inspect_gradients(bikes, model, quick=True, series=2).to_json() for model in (training, saved))
    assert (one.pop("source"), other.pop("source")) == ("the model in memory", str(saved))
    assert one == other


def test_info_and_check_are_the_same(bikes: pa.Table, training: Training, saved: Path) -> None:
    assert rnncli.info(training).to_json() == rnncli.info(saved).to_json()
    assert rnncli.check(bikes, training).to_json() == rnncli.check(bikes, saved).to_json()


def test_a_warm_start_is_the_same(bikes: pa.Table, training: Training, saved: Path, tmp_path: Path) -> None:
    for name, model in (("a", training), ("b", saved)):
        rnncli.train(bikes, output=tmp_path / name, warm_start=model, steps=2, threads=1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_warm_start_in_place_is_done_once(jobs: Path, tmp_path: Path) -> None:
    path = tmp_path / "m"
    first = rnncli.train(jobs, horizon=3, output=path, **QUICK)
    assert not rnncli.train(jobs, output=path, warm_start=first, steps=2, threads=1).up_to_date
    assert rnncli.train(jobs, output=path, warm_start=first, steps=2, threads=1).up_to_date


def test_a_state_goes_on_with_the_same_model_from_a_file_or_from_memory(
    jobs: Path, employment: Training, tmp_path: Path
) -> None:
    employment.save(tmp_path / "m")
    state = tmp_path / "s"
    rnncli.predict(jobs, employment, state=state, as_of="2015-06-01")
    here = rnncli.predict(jobs, tmp_path / "m", state=state)
    whole = rnncli.predict(jobs, employment, state=tmp_path / "t")
    assert here.encode() == whole.encode()
    assert state.read_bytes() == (tmp_path / "t").read_bytes()


def test_the_state_of_another_model_in_memory_is_refused(jobs: Path, employment: Training, tmp_path: Path) -> None:
    other = rnncli.train(jobs, horizon=3, seed=1, **QUICK)
    rnncli.predict(jobs, employment, state=tmp_path / "s")
    with pytest.raises(rnncli.ModelRefused, match="another model"):
        rnncli.predict(jobs, other, state=tmp_path / "s")


def test_a_model_with_a_weight_that_is_not_finite_is_refused(bikes: pa.Table, training: Training) -> None:
    weights = {name: np.full_like(weight, np.nan) for name, weight in training.model.weights.items()}
    with pytest.raises(rnncli.ModelRefused, match="not finite"):
        rnncli.predict(bikes, replace(training.model, weights=weights))


@pytest.mark.parametrize("model", [5, 2.5, b"m", ["m"], {"m": 1}, object(), None])
def test_what_is_no_model_is_refused_with_what_to_give(jobs: Path, model: Any) -> None:
    with pytest.raises(rnncli.UsageError, match="model cannot be") as error:
        rnncli.predict(jobs, model)
    assert "path of a model file" in error.value.hint


def test_a_model_to_start_from_is_called_as_the_argument_is(jobs: Path) -> None:
    with pytest.raises(rnncli.UsageError, match="warm_start cannot be an int"):
        rnncli.train(jobs, warm_start=5)  # type: ignore[typeddict-item]


def test_every_result_shows_itself_in_a_few_lines(bikes: pa.Table, training: Training, saved: Path) -> None:
    evaluation = rnncli.evaluate(bikes, training, refit=False)
    inspection = rnncli.inspect_gradients(bikes, training, quick=True, series=2)
    results: list[Any] = [training, training.model, rnncli.info(saved), rnncli.predict(bikes, training)]
    results += [
        evaluation,
        evaluation.report,
        inspection,
        inspection.report,
        rnncli.check(bikes, saved),
        rnncli.list_cells(),
    ]
    for result in results:
        assert 50 < len(repr(result)) < 3_000
        assert repr(result).startswith(type(result).__name__) or repr(result).startswith(("Model", "Cells"))
        assert "<table>" in result._repr_html_()


def test_a_training_says_what_it_is_and_where(training: Training) -> None:
    text = repr(training)
    assert all(word in text for word in ("lstm, 1 x 6", "24 steps", "verdict", "save(path)"))


def test_a_forecast_shows_its_first_rows(bikes: pa.Table, training: Training) -> None:
    text = repr(rnncli.predict(bikes, training))
    assert text.count("2012-12-31") == 5
    assert "... 19 more rows" in text
