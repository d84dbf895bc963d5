"""A state that is carried along: in any number of runs, with any company, the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.errors import ModelRefused
from rnncli.inference import carried as kept
from rnncli.inference import state_file
from rnncli.inference.advance import advanced
from rnncli.inference.refusals import refusals
from rnncli.tasks.forecast import stream
from rnncli.tasks.forecast.extras import ForecastState
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.pool import Pool
from rnncli.tasks.forecast.stream import StreamingForecaster
from rnncli.tasks.plan import Plan

Untrained = Callable[..., tuple[Forecaster, Plan]]
CELLS = ["lstm", "rnn", "gru,lru", "fir,dilated:3:slstm", "mlstm,dilated:2:mamba", "grud,gru"]
ATTENDED = {"gru,lstm": 12}  # outputs that the head attends to


def with_pool(model: Forecaster) -> Forecaster:
    """The same model in a pool with two baselines, as a training leaves it."""
    season = model.spec.seasons[0]
    names = ("network", "exponential-smoothing", "seasonal-naive")
    return replace(model, pool=Pool(names, (season,) * 3, (0.5, 0.3, 0.2), 1.0))


@pytest.fixture(scope="module", params=[*CELLS, *ATTENDED])
def model(request: pytest.FixtureRequest, weekly_waves: Panel, untrained: Untrained) -> Forecaster:
    return with_pool(untrained(weekly_waves, request.param, attended=ATTENDED.get(request.param, 0))[0])


def streaming(model: Forecaster) -> StreamingForecaster:
    return StreamingForecaster(model)


def nothing(model: Forecaster, panel: Panel) -> ForecastState:
    return kept.begun(streaming(model), panel.select(np.zeros(0, np.int64)))


def rows(panel: Panel, first: int, last: int) -> Panel:
    """Rows first ... last - 1 of each series, those before them forgotten; series without any are dropped."""
    whole = panel.cut(np.full(len(panel), last))
    kept = np.flatnonzero(whole.lengths > first)
    whole = whole.select(kept)
    parts = [whole.series(s)[first:] for s in range(len(whole))]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    return replace(whole, offsets=offsets, values=np.concatenate(parts), starts=whole.starts + first)


def consumed(model: Forecaster, carried: ForecastState, panel: Panel) -> ForecastState:
    here, absent = kept.known_and_new(streaming(model), carried, panel)
    assert not refusals(streaming(model), here, panel, panel.lengths)
    after = kept.joined(absent, advanced(streaming(model), here, panel, panel.lengths))
    return kept.chosen(after, sorted(range(len(after.ids)), key=after.ids.__getitem__))


def bits(carried: ForecastState) -> tuple[bytes, ...]:
    tail = carried.tail
    numbers = [carried.starts, carried.consumed, carried.phases, tail.rows, tail.values, carried.fingerprints]
    smoothed = [part for state in carried.extras.smoothed.values() for part in state.parts().values()]
    return tuple(part.tobytes() for part in [*numbers, *carried.hidden.values(), *smoothed])


def forecasts(model: Forecaster, carried: ForecastState, panel: Panel) -> bytes:
    here, _ = kept.known_and_new(streaming(model), carried, panel)
    return stream.quantiles(model, here, stream.kept_and_after(here, panel)).tobytes()


@pytest.mark.parametrize("cuts", [(1, 2, 3, 4), (31, 32, 33, 64), (40, 41, 97), (60, 63, 66, 127)])
def test_rows_in_pieces_leave_the_bits_of_all_rows_at_once(
    model: Forecaster, weekly_waves: Panel, cuts: tuple[int, ...]
) -> None:
    whole = consumed(model, nothing(model, weekly_waves), weekly_waves)
    carried = nothing(model, weekly_waves)
    for first, last in zip((0, *cuts), (*cuts, 1000), strict=True):
        carried = consumed(model, carried, rows(weekly_waves, first, last))
    assert bits(carried) == bits(whole)
    assert forecasts(model, carried, weekly_waves) == forecasts(model, whole, weekly_waves)


def test_the_whole_history_again_and_again_is_consumed_once(model: Forecaster, weekly_waves: Panel) -> None:
    carried = nothing(model, weekly_waves)
    for last in (50, 50, 77, 1000, 1000):
        carried = consumed(model, carried, weekly_waves.cut(np.full(6, last)))
    assert bits(carried) == bits(consumed(model, nothing(model, weekly_waves), weekly_waves))


def test_series_alone_in_any_order_have_the_bits_of_all_together(model: Forecaster, weekly_waves: Panel) -> None:
    together = consumed(model, nothing(model, weekly_waves), weekly_waves)
    carried = nothing(model, weekly_waves)
    for place in (3, 0, 5, 1, 4, 2):
        carried = consumed(model, carried, weekly_waves.select(np.array([place])))
    assert bits(carried) == bits(together)
    backwards = weekly_waves.select(np.arange(6)[::-1].copy())
    assert bits(consumed(model, nothing(model, weekly_waves), backwards)) == bits(together)


def test_missing_rows_are_consumed_as_missing(model: Forecaster, weekly_waves: Panel) -> None:
    values = weekly_waves.values.copy()
    values[::3] = np.nan
    values[70:110] = np.nan
    panel = replace(weekly_waves, values=values)
    whole = consumed(model, nothing(model, panel), panel)
    half = consumed(model, nothing(model, panel), rows(panel, 0, 45))
    assert bits(consumed(model, half, rows(panel, 45, 1000))) == bits(whole)
    here, _ = kept.known_and_new(streaming(model), whole, panel)
    assert np.isfinite(stream.quantiles(model, here, stream.kept_and_after(here, panel))).all()


def test_while_a_series_is_shorter_than_the_context_a_stream_forecasts_what_a_window_does(
    model: Forecaster, weekly_waves: Panel
) -> None:
    """Both have then seen every row from a zero state; sums over the window may round otherwise. That the values are
    no ratios, a window knows from its first row on, and a stream when it has seen it.
    """
    model = replace(model, spec=replace(model.spec, each=False, link="log"))
    short = weekly_waves.cut(np.full(6, model.spec.steps))
    carried = consumed(model, nothing(model, short), short)
    here, _ = kept.known_and_new(streaming(model), carried, short)
    streamed = stream.quantiles(model, here, stream.kept_and_after(here, short))
    np.testing.assert_allclose(streamed, model.quantiles(short), rtol=1e-4)


def test_beyond_the_trained_horizon_medians_are_consumed_by_a_copy_of_the_state(
    model: Forecaster, weekly_waves: Panel
) -> None:
    part = weekly_waves.cut(np.full(6, 62))  # the second block is consumed over a renewal and a border of the grid
    carried = consumed(model, nothing(model, part), part)
    before, horizon = bits(carried), model.spec.horizon
    here, _ = kept.known_and_new(streaming(model), carried, part)
    far = stream.quantiles(model, here, stream.kept_and_after(here, part), 2 * horizon + 1)
    assert bits(carried) == before
    assert far.shape[1] == 2 * horizon + 1
    near = stream.quantiles(model, here, stream.kept_and_after(here, part))
    assert far[:, :horizon].tobytes() == near.tobytes()
    fed = [np.concatenate([part.target(s), near[s, :, model.spec.median]]) for s in range(6)]
    lengths = np.array([len(values) for values in fed])
    longer = replace(part, offsets=np.concatenate([[0], np.cumsum(lengths)]), values=np.concatenate(fed)[:, None])
    after = consumed(model, nothing(model, longer), longer)
    at = model.spec.median
    second, _ = kept.known_and_new(streaming(model), after, longer)
    expected = stream.quantiles(model, second, stream.kept_and_after(second, longer))
    assert far[:, horizon : 2 * horizon, at].tobytes() == expected[..., at].tobytes()
    assert (np.diff(far, axis=2) >= 0).all()


def test_the_state_remembers_rows_that_a_window_does_not_see(weekly_waves: Panel, untrained: Untrained) -> None:
    model = untrained(weekly_waves, "lstm")[0]
    values = weekly_waves.values.copy()
    values[weekly_waves.offsets[5]] *= 3  # the first of 135 rows
    other = replace(weekly_waves, values=values)
    assert model.quantiles(other).tobytes() == model.quantiles(weekly_waves).tobytes()
    states = [consumed(model, nothing(model, panel), panel) for panel in (weekly_waves, other)]
    assert forecasts(model, states[0], weekly_waves) != forecasts(model, states[1], weekly_waves)


@pytest.fixture(scope="module")
def lstm(weekly_waves: Panel, untrained: Untrained) -> Forecaster:
    return with_pool(untrained(weekly_waves, "lstm")[0])


def refused(model: Forecaster, carried: ForecastState, panel: Panel) -> list[str]:
    here, _ = kept.known_and_new(streaming(model), carried, panel)
    found = refusals(streaming(model), here, panel, panel.lengths)
    return [f"{error.series}: {error.message}" for error in found]


def test_rows_that_are_missing_in_between_are_refused_by_name(lstm: Forecaster, weekly_waves: Panel) -> None:
    carried = consumed(lstm, nothing(lstm, weekly_waves), rows(weekly_waves, 0, 90))
    found = refused(lstm, carried, rows(weekly_waves, 92, 1000))
    assert len(found) == 3
    assert found[0].startswith("s3: 2 rows are missing between the state and the data (2022-")


def test_a_row_that_changed_or_came_late_is_refused_by_name(lstm: Forecaster, weekly_waves: Panel) -> None:
    gap = weekly_waves.values.copy()
    gap[weekly_waves.offsets[2] + 80] = np.nan
    carried = consumed(lstm, nothing(lstm, weekly_waves), replace(weekly_waves, values=gap))
    changed = gap.copy()
    changed[weekly_waves.offsets[4] + 119] += 1e-9
    changed[weekly_waves.offsets[2] + 80] = 20.0
    late, other = refused(lstm, carried, replace(weekly_waves, values=changed))
    assert late.startswith("s2: a row came late: its place was consumed as missing (2022-")
    assert other.startswith("s4: a row has changed since it was consumed (2022-")


def test_a_row_older_than_those_kept_that_changed_is_refused_if_all_are_given(
    weekly_waves: Panel, untrained: Untrained
) -> None:
    model = untrained(weekly_waves, "lstm")[0]
    carried = consumed(model, nothing(model, weekly_waves), weekly_waves)
    assert carried.tail.rows.max() < weekly_waves.lengths.max() - 3
    values = weekly_waves.values.copy()
    values[weekly_waves.offsets[5] + 2] += 1e-9
    values[weekly_waves.offsets[5] + 3] -= 1e-9
    changed = replace(weekly_waves, values=values)
    (found,) = refused(model, carried, changed)
    kept_rows = carried.tail.rows[5]
    assert found.startswith(f"s5: a row before the last {kept_rows} has changed since it was consumed (before 20")
    assert not refused(model, carried, weekly_waves)
    assert not refused(model, carried, rows(changed, 1, 1000))  # nothing to compare the sum with
    swapped = weekly_waves.values.copy()
    swapped[weekly_waves.offsets[5] + np.arange(2)] = swapped[weekly_waves.offsets[5] + np.array([1, 0])]
    assert len(refused(model, carried, replace(weekly_waves, values=swapped))) == 1


def test_a_row_before_the_first_that_was_consumed_is_refused(lstm: Forecaster, weekly_waves: Panel) -> None:
    carried = consumed(lstm, nothing(lstm, weekly_waves), rows(weekly_waves, 4, 1000))
    assert refused(lstm, carried, weekly_waves)[0].startswith("s0: 4 rows lie before the first that was consumed (20")


def test_another_phase_is_refused(lstm: Forecaster, weekly_waves: Panel) -> None:
    carried = consumed(lstm, nothing(lstm, weekly_waves), weekly_waves)
    found = refused(lstm, carried, replace(weekly_waves, phases=weekly_waves.phases + 1))
    assert all("its times lie between those of the state" in message for message in found)
    assert len(found) == 6


def test_a_state_comes_back_from_its_file_as_it_was(lstm: Forecaster, weekly_waves: Panel, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    assert state_file.load(path, streaming(lstm), "a" * 64) is None
    carried = consumed(lstm, nothing(lstm, weekly_waves), weekly_waves)
    state_file.save(path, carried, "a" * 64)
    back = state_file.load(path, streaming(lstm), "a" * 64)
    assert back is not None
    assert back.ids == carried.ids
    assert bits(back) == bits(carried)


def test_the_state_of_another_model_is_refused(lstm: Forecaster, weekly_waves: Panel, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    state_file.save(path, consumed(lstm, nothing(lstm, weekly_waves), weekly_waves), "a" * 64)
    with pytest.raises(ModelRefused, match="this is the state of another model"):
        state_file.load(path, streaming(lstm), "b" * 64)


def test_a_damaged_state_is_refused_at_any_bit(lstm: Forecaster, weekly_waves: Panel, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    state_file.save(path, consumed(lstm, nothing(lstm, weekly_waves), weekly_waves), "a" * 64)
    data = path.read_bytes()
    for place in np.random.default_rng(0).integers(len(data), size=60).tolist():
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ModelRefused):
            state_file.load(path, streaming(lstm), "a" * 64)


def test_a_model_is_no_state_and_a_state_no_model(
    lstm: Forecaster, weekly_waves: Panel, small_model: Path, tmp_path: Path
) -> None:
    from rnncli import model

    with pytest.raises(ModelRefused, match="no state"):
        state_file.load(small_model, streaming(lstm), "a" * 64)
    path = tmp_path / "state.safetensors"
    state_file.save(path, nothing(lstm, weekly_waves), "a" * 64)
    with pytest.raises(ModelRefused, match="there is no task called 'stream'"):
        model.load(path)
