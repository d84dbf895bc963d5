"""What comes with the program forecasts what it has never seen, at once, without torch, and says what it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, ModelRefused, UsageError
from rnncli.registry import BASE, PRETRAINED
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.features import input_count, known_count
from rnncli.tasks.forecast.head import shapes
from rnncli.tasks.forecast.plan import forecast_spec, universal_spec
from rnncli.tasks.forecast.task import TASK

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def weekly(sample_data: Path) -> Path:
    """A record of one series with a season of 52 rows."""
    return sample_data / "co2_weekly.csv"


def wave(season: int, rows: int, noise: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(season)
    return 20 + 5 * np.sin(2 * np.pi * np.arange(rows) / max(season, 2)) + noise * rng.standard_normal(rows)


def table(path: Path, values: np.ndarray) -> Path:
    rows = (f"{t},{value!r}\n".replace("nan", "") for t, value in enumerate(values.tolist()))
    path.write_text("t,y\n" + "".join(rows))
    return path


def test_a_forecast_needs_no_model_and_no_torch(weekly: Path, root: Path) -> None:
    guard = "import sys\nfor name in ('torch', 'pandas'): sys.modules[name] = None\n"
    words = ["predict", str(weekly), "--horizon", "4"]
    run = f"{guard}from rnncli.cli.app import main\nsys.argv = {['rnncli', *words]!r}\nmain()"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5
    assert done.stderr.startswith("base, trained on made-up series alone: time 'week'")


def test_it_is_base_that_is_used_where_no_model_is_named(run_rnncli: Run, weekly: Path) -> None:
    named, alone = (run_rnncli("predict", weekly, *words, "--horizon", 3) for words in (("-m", BASE), ()))
    assert (named.returncode, named.stdout) == (alone.returncode, alone.stdout)


@pytest.mark.parametrize("season", [1, 3, 4, 5, 7, 10, 12, 24, 30, 48, 52, 96, 168])
@pytest.mark.parametrize("horizon", [1, 17, 200])
def test_any_season_and_horizon_is_forecast_without_crossing(tmp_path: Path, season: int, horizon: int) -> None:
    values = wave(season, 5 * max(season, 8))
    made = rnncli.predict(table(tmp_path / "y.csv", values), horizon=horizon).table.quantiles
    assert made.shape[1:] == (horizon, 9)
    assert np.isfinite(made).all()
    assert (np.diff(made, axis=2) >= 0).all()


@pytest.mark.parametrize("season", [4, 7, 12, 24])
def test_a_clear_season_goes_on(tmp_path: Path, season: int) -> None:
    values = wave(season, 12 * season)
    made = rnncli.predict(table(tmp_path / "y.csv", values[: 10 * season]), horizon=2 * season).table
    away = np.abs(made.point[0] - values[10 * season :])
    assert away.mean() < 0.8  # of an amplitude of 5
    assert away.mean() < np.abs(values[10 * season - 1] - values[10 * season :]).mean() / 3


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 9])
def test_a_series_of_a_few_rows_is_forecast(tmp_path: Path, rows: int) -> None:
    made = rnncli.predict(table(tmp_path / "y.csv", wave(4, 9)[:rows]), horizon=3)
    assert np.isfinite(made.table.quantiles).all()


def test_a_horizon_beyond_one_pass_is_forecast_in_blocks(tmp_path: Path) -> None:
    made = rnncli.predict(table(tmp_path / "y.csv", wave(24, 300)), horizon=900)
    assert made.beyond_trained_from == 721
    assert np.isfinite(made.table.quantiles).all()


def test_a_fitted_one_is_a_model_as_any_other(tmp_path: Path, weekly: Path) -> None:
    loaded = TASK.load_new(weekly, ColumnChoices(), {}, lambda event: None)
    model = rnncli.info(BASE).model.for_data(loaded, 5)
    model.save(tmp_path / "m.safetensors")
    ours, theirs = (rnncli.predict(weekly, one, horizon=5) for one in (BASE, tmp_path / "m.safetensors"))
    np.testing.assert_array_equal(ours.table.quantiles, theirs.table.quantiles)


def test_its_weights_fit_every_season_and_horizon(build: Callable[..., Panel]) -> None:
    base = rnncli.info(BASE).model
    for season, horizon in ((1, 3), (12, 700), (168, 24)):
        panel = build(wave(season, 40), seasons=(season,))
        panel = replace(panel, calendar=replace(panel.calendar, cycles=()))
        spec = universal_spec(panel, forecast_spec(panel, horizon, base.spec.levels))
        assert (input_count(spec, 0), known_count(spec, 0)) == (base.network.inputs, base.spec.known)
        fits = shapes(base.network, spec, len(spec.plain))
        assert fits == shapes(base.network, base.spec, len(base.spec.plain))


def test_a_file_of_that_name_is_a_path(run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path) -> None:
    (tmp_path / BASE).write_bytes(small_model.read_bytes())
    by_name, by_path = (run_rnncli("predict", weekly, "-m", name, cwd=tmp_path).stdout for name in (BASE, "./base"))
    assert by_path == run_rnncli("predict", weekly, "-m", small_model).stdout != by_name


def test_another_file_than_came_with_the_program_is_refused(monkeypatch: pytest.MonkeyPatch, weekly: Path) -> None:
    place, digest = PRETRAINED[BASE]
    monkeypatch.setitem(PRETRAINED, BASE, (place, digest[::-1]))
    with pytest.raises(ModelRefused, match="not the file that came with this version"):
        rnncli.predict(weekly)


def test_evaluating_it_fits_it_to_what_came_before_the_first_origin(weekly: Path) -> None:
    scores = rnncli.evaluate(weekly, horizon=13, windows=2).report.scores
    assert scores["model"].overall["mase"] < scores["seasonal naive"].overall["mase"]


def test_a_score_is_that_of_the_forecast_which_did_not_see_it(tmp_path: Path) -> None:
    values = wave(12, 120)
    forecast = rnncli.predict(table(tmp_path / "past.csv", values[:-6]), horizon=6).table.point[0]
    found = rnncli.evaluate(table(tmp_path / "all.csv", values), horizon=6).report.scores["model"].overall["mae"]
    assert found == pytest.approx(np.abs(forecast - values[-6:]).mean(), rel=1e-9)


def test_it_is_looked_at_as_any_model_is(run_rnncli: Run, weekly: Path) -> None:
    assert "healthy" in run_rnncli("inspect-gradients", weekly, "-m", BASE, "--quick").stdout
    assert "made-up series" in run_rnncli("info", BASE).stdout
    assert run_rnncli("check", weekly, "-m", BASE).returncode == 0


def test_forecasts_and_a_model_are_not_scored_together(run_rnncli: Run, weekly: Path) -> None:
    with pytest.raises(UsageError, match="both a model and saved forecasts"):
        rnncli.evaluate(weekly, model=BASE, forecasts=weekly)


def test_the_file_is_small() -> None:
    assert rnncli.info(BASE).bytes <= 4 << 20


@pytest.fixture(scope="module")
def grown(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Employment up to a month, the months after it alone, and all of them."""
    header, *rows = (sample_data / "us_employment.csv").read_text().splitlines()
    months = sorted({row.split(",")[1] for row in rows})
    folder, files = tmp_path_factory.mktemp("grown"), []
    for name, some in (("before", months[:108]), ("after", months[108:]), ("all", months)):
        kept = [row for row in rows if row.split(",")[1] in some]
        files.append(folder / f"{name}.csv")
        files[-1].write_text("\n".join([header, *kept]) + "\n")
    return files


def test_a_state_goes_on_with_base_as_it_was_fitted(run_rnncli: Run, grown: list[Path], tmp_path: Path) -> None:
    before, after, every = grown
    states = [tmp_path / name for name in ("apart.state", "whole.state")]
    for state in states:
        done = run_rnncli("predict", before, "--horizon", 6, "--state", state)
        assert done.returncode == 0, done.stderr
    apart, whole = (run_rnncli("predict", data, "--state", s) for data, s in zip((after, every), states, strict=True))
    assert (apart.returncode, whole.returncode) == (0, 0), apart.stderr + whole.stderr
    assert "22 of 22 series went on from their state" in apart.stderr
    assert "base, trained on made-up series alone" not in apart.stderr  # it is fitted once
    assert apart.stdout == whole.stdout
    assert len(apart.stdout.splitlines()) == 1 + 22 * 6
    assert states[0].read_bytes() == states[1].read_bytes()


def test_a_state_of_base_is_of_base_alone(
    run_rnncli: Run, grown: list[Path], small_model: Path, tmp_path: Path
) -> None:
    state = tmp_path / "s"
    assert run_rnncli("predict", grown[0], "--horizon", 6, "--state", state).returncode == 0
    kept = state.read_bytes()
    done = run_rnncli("predict", grown[2], "-m", small_model, "--state", state)
    assert (done.returncode, "another model" in done.stderr) == (5, True)
    state.write_bytes(kept.replace(b"0.", b"1.", 1))
    done = run_rnncli("predict", grown[2], "--state", state)
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr


def test_training_goes_on_from_it(run_rnncli: Run, weekly: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    done = run_rnncli("train", weekly, "--warm-start", BASE, "--horizon", 5, "--steps", 3, "-o", output)
    assert done.returncode == 0, done.stderr
    model = rnncli.info(output).model
    assert (model.spec.universal, model.spec.horizon, model.unfitted) == (True, 5, False)
    assert np.isfinite(rnncli.predict(weekly, output).table.quantiles).all()


def test_it_says_where_simpler_forecasts_did_better(run_rnncli: Run, sample_data: Path, tmp_path: Path) -> None:
    noise = table(tmp_path / "z.csv", np.random.default_rng(0).normal(50, 1, 120).cumsum())
    waves, jobs = table(tmp_path / "y.csv", wave(12, 120)), sample_data / "us_employment.csv"
    shares = []
    for data in (waves, noise, jobs):
        loaded = TASK.load_new(data, ColumnChoices(), {}, lambda event: None)
        shares.append(rnncli.info(BASE).model.for_data(loaded, 7).pool.network)
        told = run_rnncli("predict", data, "--horizon", 7).stderr
        assert "horizon 7; " in told
        assert ("simpler forecasts did better" in told) == (shares[-1] < 0.1)
    assert min(shares) < 0.1


def test_rows_that_nobody_knows_judge_nothing(tmp_path: Path) -> None:
    values = wave(4, 380)
    values[30:375] = np.nan
    made = rnncli.predict(table(tmp_path / "y.csv", values), horizon=4)
    assert np.isfinite(made.table.quantiles).all()
    values[375:] = np.nan
    with pytest.raises(InputRefused, match="nothing to forecast from"):
        rnncli.predict(table(tmp_path / "y.csv", values), horizon=4)


@pytest.mark.parametrize("role", ["past", "future", "static"])
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_it_says_that_it_sees_no_covariates(run_rnncli: Run, tmp_path: Path, command: str, role: str) -> None:
    data = tmp_path / "y.csv"
    data.write_text("t,y,warm\n" + "".join(f"{t},{t % 7},1\n" for t in range(60)))
    done = run_rnncli(command, data, "--target", "y", f"--{role}", "warm", "--horizon", 3)
    assert (done.returncode, done.stdout) == (2, "")
    assert "base sees no covariates, and 'warm' is named as one" in done.stderr


def test_what_is_skipped_decides_nothing(run_rnncli: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = [f"good,{day},{7 + 5 * (n % 7)}" for n, day in enumerate(days(200, "2023-01-01"))]
    stale = [
        f"s{s},{day},{y:.2f}" for s in range(20) for day, y in zip(days(200, "2015-01-01"), walk(rng, 200), strict=True)
    ]
    for name, rows in (("good", good), ("both", good + stale)):
        (tmp_path / f"{name}.csv").write_text("id,ds,y\n" + "\n".join(rows) + "\n")
    words = ("--id", "id", "--horizon", 7)
    alone = run_rnncli("predict", tmp_path / "good.csv", *words)
    beside = run_rnncli(
        "predict", tmp_path / "both.csv", *words, "--max-age", "10d", "--now", "2023-07-20", "--on-bad-series", "skip"
    )
    assert (alone.returncode, beside.returncode) == (0, 3)
    assert "season 7" in alone.stderr
    assert "season 7" in beside.stderr
    middles = [[float(line.split(",")[2]) for line in one.stdout.splitlines()[1:]] for one in (alone, beside)]
    np.testing.assert_allclose(middles[0], middles[1], rtol=0.05)


def days(count: int, first: str) -> list[str]:
    return [str(np.datetime64(first) + n) for n in range(count)]


def walk(rng: np.random.Generator, rows: int) -> np.ndarray:
    return 100 + np.cumsum(rng.standard_normal(rows))


def test_a_horizon_that_is_too_long_is_refused_before_any_work(run_rnncli: Run, tmp_path: Path) -> None:
    done = run_rnncli("predict", tmp_path / "absent.csv", "--horizon", 10**6)
    assert done.returncode == 2
    assert "horizon must be between 1 and 72000" in done.stderr


def test_it_cannot_say_that_data_have_drifted(run_rnncli: Run, weekly: Path) -> None:
    done = run_rnncli("predict", weekly, "--fail-on-drift")
    assert done.returncode == 2
    assert "none have taught base" in done.stderr


def test_baselines_beside_it_have_the_season_of_all_rows(tmp_path: Path) -> None:
    months = days_of_months(60)
    values = 50 + 20 * np.tile(np.arange(12), 5) + np.random.default_rng(0).normal(0, 1, 60)
    data = tmp_path / "y.csv"
    data.write_text("ds,y\n" + "".join(f"{m},{v:.3f}\n" for m, v in zip(months, values, strict=True)))
    scores = rnncli.evaluate(data, horizon=12, windows=4).report.scores
    assert scores["seasonal naive"].overall["mase"] < scores["naive"].overall["mase"] / 3


def days_of_months(count: int) -> list[str]:
    return [str(np.datetime64("2019-01", "M") + n) + "-01" for n in range(count)]


def test_a_model_in_memory_is_trained_on_as_its_file_is(weekly: Path) -> None:
    made = rnncli.train(weekly, warm_start=rnncli.info(BASE), horizon=4, steps=1)
    assert made.model.spec.horizon == 4
    with pytest.raises(UsageError, match="horizon describes a model"):
        rnncli.train(weekly, warm_start=made, horizon=5, steps=1)


def test_remedies_are_tried_on_it(run_rnncli: Run, sample_data: Path) -> None:
    data = sample_data / "us_employment.csv"
    done = run_rnncli("inspect-gradients", data, "-m", BASE, "--quick", "--try", "--try-steps", 2)
    assert done.returncode == 0, done.stderr
    assert "tried, 2 steps each" in done.stdout


def test_a_model_file_of_its_name_is_told_of(run_rnncli: Run, weekly: Path, tmp_path: Path) -> None:
    done = run_rnncli("train", weekly, "--warm-start", BASE, "--horizon", 3, "--steps", 1, "-o", BASE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the one that is trained is ./base" in done.stderr
