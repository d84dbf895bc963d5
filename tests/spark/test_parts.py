"""Parts of the data, without any engine: whole series in, what all of them together give out."""

from __future__ import annotations

import json
import math
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute

import rnncli
from rnncli.data.sums import exact
from rnncli.data.whole_series import whole_series
from rnncli.errors import InputRefused, ModelRefused, UsageError
from rnncli.evaluation.reduced import joined
from rnncli.tasks.task import Backtest
from rnncli.workflows.evaluate import evaluate
from rnncli.workflows.part import Dealt, forecast, form, refuse_unfit
from rnncli.workflows.part_checks import checked, together
from rnncli.workflows.part_scores import evaluated

KEYS = ("shop",)
PARTS = 5


def in_parts(table: pa.Table) -> list[pa.Table]:
    """The table in parts of whole series, which lie in no order."""
    owner = np.array([hash_of(name) for name in table["shop"].to_pylist()])
    return [table.filter(pa.array(owner == part)) for part in range(PARTS)]


def hash_of(name: str) -> int:
    return (int(name) * 7 + 3) % PARTS


def cut(table: pa.Table, size: int) -> list[pa.Table]:
    return [pa.Table.from_batches([batch]) for batch in table.to_batches(max_chunksize=size)]


def in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([("shop", "ascending"), ("day", "ascending")]).combine_chunks()


@pytest.fixture(scope="module")
def dealt(model: Path) -> Dealt:
    return Dealt(model.read_bytes())


@pytest.mark.parametrize("size", [1, 7, 36, 37, 500, 10_000])
@pytest.mark.parametrize("at_once", [1, 3, 1_000])
def test_no_series_is_cut_where_a_batch_ends(sales: pa.Table, size: int, at_once: int) -> None:
    found = list(whole_series(cut(sales, size), KEYS, 1 << 20, at_once))
    assert pa.concat_tables(found).combine_chunks().equals(sales.combine_chunks())
    series = [compute.unique(table["shop"]).to_pylist() for table in found]
    assert sum(map(len, series)) == len({*chain.from_iterable(series)})
    assert all(len(names) == at_once for names in series[:-1])


def test_fewer_series_go_together_where_they_have_many_rows(sales: pa.Table) -> None:
    found = list(whole_series(cut(sales, 50), KEYS, 100, 1_000))
    assert pa.concat_tables(found).combine_chunks().equals(sales.combine_chunks())
    assert all(table.num_rows < 150 for table in found)
    assert len(found) > 5


def test_a_forecast_in_parts_is_that_of_all_bit_for_bit(sales: pa.Table, model: Path, dealt: Dealt) -> None:
    parts = [table for part in in_parts(sales) for table in forecast(part, dealt).tables]
    assert in_order(pa.concat_tables(parts)).equals(in_order(rnncli.predict(sales, model).to_arrow()))


def test_the_columns_of_a_forecast_are_known_before_it(sales: pa.Table, model: Path, dealt: Dealt) -> None:
    assert form(sales.slice(0, 9), dealt)[0].equals(rnncli.predict(sales, model).to_arrow().schema)
    levels = (0.2, 0.5, 0.75)
    told = rnncli.predict(sales, model, quantiles=levels).to_arrow().schema
    assert form(sales.slice(0, 9), dealt, quantiles=levels)[0].equals(told)


def test_series_that_are_skipped_leave_the_others_as_they_are(sales: pa.Table, model: Path, dealt: Dealt) -> None:
    bad = in_parts(sales)[0]
    infinite = bad.set_column(2, "sold", pa.array([math.inf] * bad.num_rows))
    whole = pa.concat_tables([infinite, *in_parts(sales)[1:]])
    plain = rnncli.predict(whole, model, on_bad_series="skip")
    made = [forecast(part, dealt, on_bad_series="skip") for part in [infinite, *in_parts(sales)[1:]]]
    assert in_order(pa.concat_tables([t for one in made for t in one.tables])).equals(in_order(plain.to_arrow()))
    skipped = {(one.series, one.text) for part in made for one in part.noticed if one.kind == "skipped"}
    assert skipped == {(error.series, str(error)) for error in plain.skipped}


def test_a_part_that_is_wrong_altogether_is_refused_though_series_may_be_skipped(sales: pa.Table, dealt: Dealt) -> None:
    with pytest.raises(InputRefused, match="sold"):
        forecast(sales.drop_columns(["sold"]), dealt, on_bad_series="skip")


def test_a_model_whose_bytes_changed_on_the_way_is_refused(model: Path, sales: pa.Table) -> None:
    with pytest.raises(ModelRefused, match="as they were sent"):
        forecast(sales, Dealt(model.read_bytes(), "0" * 64))


def test_base_is_refused_because_it_is_fitted_to_all_series() -> None:
    with pytest.raises(UsageError, match="fitted to all series"):
        refuse_unfit(rnncli.info("base").model)


@pytest.mark.parametrize(
    "wanted",
    [
        Backtest(2, None, None, refit=True),
        Backtest(3, 2, 4, refit=False),
        Backtest(None, None, None, refit=True, start="2024-02-16", until="2024-02-27"),
    ],
)
def test_scores_in_parts_are_those_of_all_to_the_last_bit(
    sales: pa.Table, model: Path, dealt: Dealt, wanted: Backtest
) -> None:
    asked = {"windows": wanted.windows, "stride": wanted.stride, "horizon": wanted.horizon, "refit": wanted.refit}
    plain = evaluate(sales, model, start=wanted.start, until=wanted.until, **asked).report.to_json()
    parts = [json.loads(json.dumps(one)) for part in in_parts(sales) for one in evaluated(part, dealt, wanted)]
    found = joined(parts).to_json()
    assert {name: value for name, value in found.items() if name != "notes"} == {
        name: value for name, value in plain.items() if name != "notes"
    }


def test_a_paired_test_in_parts_is_that_of_all(sales: pa.Table, model: Path, dealt: Dealt) -> None:
    wanted = Backtest(2, None, None, refit=True)
    plain = evaluate(sales, model, windows=2).report
    parts = [one for part in in_parts(sales) for one in evaluated(part, dealt, wanted, losses=True)]
    found: Any = joined(parts)
    for rival in ("naive", "seasonal naive"):
        assert found.against(rival) == plain.against(rival)


@pytest.mark.parametrize("values", [[], [0.0], [0.1] * 10, [1e300, 1.0, -1e300, 1e-300], [1e16, 1.0, 1e-16] * 99])
def test_a_sum_is_kept_exactly_in_a_few_numbers(values: list[float]) -> None:
    found = exact(values)
    assert len(found) < 20
    assert math.fsum([*found, *(-value for value in values)]) == 0


def broken(table: pa.Table) -> pa.Table:
    """The sales with a gap, two rows of one time, an infinite value and one that is far from all others."""
    sold = table["sold"].to_pylist()
    sold[40], sold[100], sold[333] = math.inf, 1e6, None
    holed = table.set_column(2, "sold", pa.array(sold, pa.float64()))
    kept = pa.concat_tables([holed.slice(0, 200), holed.slice(203)])
    return pa.concat_tables([kept, holed.slice(5, 1), holed.slice(90, 2).set_column(2, "sold", pa.array([1.0, 2.0]))])


@pytest.mark.parametrize("beside", [False, True], ids=["new", "known"])
def test_findings_in_parts_are_those_in_all(sales: pa.Table, model: Path, dealt: Dealt, beside: bool) -> None:
    table = broken(sales)
    plain = rnncli.check(table, model if beside else None, id="shop")
    parts = [checked(part, dealt if beside else None, id="shop") for part in in_parts(table)]
    found = together([json.loads(json.dumps(part)) for part in parts])
    assert (found.rows, found.series) == (plain.rows, plain.series)
    assert told(found) == {one for one in told(plain) if one[0] not in ("unsorted", "drift")}
    assert len(found.findings) > 5


def told(done: Any) -> set[tuple[str, str, str, int]]:
    return {(finding.id, finding.severity, finding.what, finding.count) for finding in done.findings}
