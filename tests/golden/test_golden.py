"""Model files that were released once load for ever, and forecast what they did then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

import rnncli

HERE = Path(__file__).parent
MASE = 0.2611


@pytest.mark.parametrize("name", ["format1", "format2", "format3"])
def test_a_model_file_of_a_released_format_forecasts_as_it_did(name: str, sample_data: Path) -> None:
    """Made by `rnncli train us_employment.csv --horizon 4 --hidden 6 --layers 2 --steps 20 --quantiles 0.1,0.5,0.9`."""
    forecast = rnncli.predict(sample_data / "us_employment.csv", HERE / f"{name}.safetensors").to_arrow()
    then = parquet.read_table(HERE / f"{name}.parquet")
    assert forecast.column_names == then.column_names
    assert forecast["month"].to_pylist() == then["month"].to_pylist()
    for column in ("forecast", "q0.1", "q0.5", "q0.9"):
        np.testing.assert_allclose(forecast[column].to_pylist(), then[column].to_pylist(), rtol=1e-5)


def test_a_seeded_training_on_sample_data_scores_as_it_did(sample_data: Path) -> None:
    training = rnncli.train(
        sample_data / "us_employment.csv", horizon=12, hidden=8, layers=1, steps=40, batch=16, threads=1, seed=7
    )
    assert training.validation["network"]["mase"] == pytest.approx(MASE, rel=0.02)
    assert training.validation["seasonal naive"]["mase"] == pytest.approx(0.8867, abs=1e-4)
    assert training.validation["naive"]["mase"] == pytest.approx(0.5083, abs=1e-4)
