"""A series from which nothing can be forecast at an origin: refused, or left out and named, in predict and evaluate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rnncli
from rnncli.errors import InputRefused

DAYS, LAST = 240, 120  # rows of a series, and those in which the dead one has nothing
SHOPS = ("north", "dead", "south")


def sales(*shops: str) -> pa.Table:
    """Daily sales of some shops; the dead one has none in its last rows."""
    day = np.datetime64("2024-01-01") + np.arange(DAYS)
    sold = {shop: [10.0 + (n * (place + 2)) % 7 for n in range(DAYS)] for place, shop in enumerate(SHOPS)}
    sold["dead"][-LAST:] = [None] * LAST
    return pa.table(
        {
            "shop": [shop for shop in shops for _ in range(DAYS)],
            "day": pa.array(np.tile(day, len(shops)).tolist(), pa.date32()),
            "sold": [value for shop in shops for value in sold[shop]],
        }
    )


@pytest.fixture(scope="module")
def model() -> Any:
    sizes = {"steps": 2, "hidden": 4, "layers": 1, "members": 1, "context": 8}
    return rnncli.train(sales("north", "south"), horizon=3, season=7, **sizes)


@pytest.mark.parametrize("options", [{"refit": False}, {"windows": 2, "refit": False}])
def test_a_dead_series_is_named_and_the_others_are_scored(options: dict[str, Any], model: Any) -> None:
    with pytest.raises(InputRefused, match="nothing to forecast from"):
        rnncli.evaluate(sales(*SHOPS), model, **options)
    found = rnncli.evaluate(sales(*SHOPS), model, on_bad_series="skip", **options).to_json()
    assert [skipped["id"] for skipped in found["skipped"]] == ["dead"]
    expected = rnncli.evaluate(sales("north", "south"), model, **options).to_json()
    assert found["scores"] == expected["scores"]
    assert [one.series for one in rnncli.predict(sales(*SHOPS), model, on_bad_series="skip").skipped] == ["dead"]


def test_a_series_that_is_dead_after_a_refit_is_named_too(model: Any) -> None:
    found = rnncli.evaluate(sales(*SHOPS), model, on_bad_series="skip").to_json()
    assert [skipped["id"] for skipped in found["skipped"]] == ["dead"]
    assert found["series"] == 2


def test_where_every_series_is_dead_nothing_is_scored(model: Any) -> None:
    with pytest.raises(InputRefused, match="nothing to forecast from"):
        rnncli.evaluate(sales("dead"), model, on_bad_series="skip", refit=False)
