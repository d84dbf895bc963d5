"""`rnncli plot` and --plot: what is drawn is what predict prints, and what cannot be drawn is refused before."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest

import rnncli
from rnncli.errors import InputRefused, MissingDependency, OutputExists, UsageError
from rnncli.workflows.plot import INSTEAD

pytest.importorskip("matplotlib")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def jobs_model(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plot") / "jobs.safetensors"
    rnncli.train(
        sample_data / "us_employment.csv", horizon=6, steps=2, hidden=4, layers=1, batch=8, members=1, output=path
    )
    return path


@pytest.fixture(scope="module")
def jobs(sample_data: Path) -> Path:
    return sample_data / "us_employment.csv"


def test_the_numbers_are_those_that_predict_prints(run_rnncli: Run, jobs: Path, jobs_model: Path) -> None:
    drawn = json.loads(run_rnncli("plot", jobs, "-m", jobs_model, "--series", 2, "--json").stdout)
    printed = json.loads(run_rnncli("predict", jobs, "-m", jobs_model, "--json").stdout)
    found = {one["id"]: one for one in printed["series"]}
    assert [one["id"] for one in drawn["series"]] == ["nonfarm", "service_providing"]
    for one in drawn["series"]:
        same = found[one["id"]]
        assert {name: one[name] for name in same} == same
        assert (one["actual"], one["mase"]) == ([None] * 6, None)


def test_history_is_the_last_rows_of_the_data(jobs: Path, jobs_model: Path) -> None:
    table = pyarrow.csv.read_csv(jobs).to_pandas()
    drawn = rnncli.plot(jobs, jobs_model, ids=["utilities"], history=9).to_json()["series"][0]["history"]
    rows = table[table.sector == "utilities"].sort_values("month").tail(9)
    assert drawn["value"] == rows.employees.tolist()
    assert drawn["time"] == rows.month.astype(str).tolist()


def test_as_of_draws_what_came_after(jobs: Path, jobs_model: Path) -> None:
    table = pyarrow.csv.read_csv(jobs).to_pandas()
    drawn = rnncli.plot(jobs, jobs_model, as_of="2015-03-01", series=3)
    assert (np.diff(drawn.fans.errors) <= 0).all()
    for one in drawn.to_json()["series"]:
        rows = table[(table.sector == one["id"]) & (table.month.astype(str) > "2015-03-01")].sort_values("month")
        assert one["actual"] == rows.employees.tolist()[:6]
        assert one["time"] == rows.month.astype(str).tolist()[:6]


def test_without_a_model_the_one_that_comes_with_the_program_is_drawn(jobs: Path) -> None:
    drawn = rnncli.plot(jobs, horizon=4, as_of="2015-03-01", ids=["utilities"]).to_json()["series"][0]
    made = rnncli.predict(jobs, horizon=4, as_of="2015-03-01").to_json()["series"]
    assert drawn["forecast"] == next(one["forecast"] for one in made if one["id"] == "utilities")
    assert drawn["mase"] > 0


def test_a_saved_forecast_is_drawn_as_the_one_that_is_made(jobs: Path, jobs_model: Path, tmp_path: Path) -> None:
    made = rnncli.plot(jobs, jobs_model, as_of="2015-03-01").to_json()
    for name, tidy in (("said.csv", False), ("tidy.parquet", True)):
        rnncli.predict(jobs, jobs_model, as_of="2015-03-01", output=tmp_path / name, tidy=tidy)
        saved = rnncli.plot(jobs, forecast=tmp_path / name).to_json()
        assert saved["says"] == made["says"]
        for one, other in zip(saved["series"], made["series"], strict=True):
            assert one["id"] == other["id"]
            assert one["forecast"] == pytest.approx(other["forecast"])
            assert (one["actual"], one["mase"]) == (other["actual"], pytest.approx(other["mase"]))
            assert one["history"]["value"][-5:] == other["history"]["value"][-5:]


def test_a_saved_forecast_of_what_has_not_come_is_drawn_too(jobs: Path, jobs_model: Path) -> None:
    drawn = rnncli.plot(jobs, jobs_model, forecast=rnncli.predict(jobs, jobs_model), ids=["nonfarm"])
    assert drawn.to_json()["series"][0]["actual"] == [None] * 6
    assert drawn.to_json()["series"] == rnncli.plot(jobs, jobs_model, ids=["nonfarm"]).to_json()["series"]


def test_a_forecast_of_other_series_or_times_is_refused(jobs: Path, jobs_model: Path, tmp_path: Path) -> None:
    said = rnncli.predict(jobs, jobs_model, output=tmp_path / "said.csv").to_pandas()
    said.assign(sector=said.sector + "x").to_csv(tmp_path / "others.csv", index=False)
    with pytest.raises(InputRefused, match="no forecast is of a series that the data have"):
        rnncli.plot(jobs, forecast=tmp_path / "others.csv")
    text = (tmp_path / "said.csv").read_text()
    (tmp_path / "moved.csv").write_text(re.sub(r"-01,", "-04,", text))
    with pytest.raises(InputRefused, match="a time that is no step of 1 month"):
        rnncli.plot(jobs, forecast=tmp_path / "moved.csv")
    (tmp_path / "twice.csv").write_text(text + text.partition("\n")[2])
    with pytest.raises(InputRefused, match="two rows for one series and time"):
        rnncli.plot(jobs, forecast=tmp_path / "twice.csv")


def test_what_cannot_be_drawn_is_refused_before_anything_is_read(
    jobs: Path, jobs_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"a picture ends in \.png, \.svg or \.html, not 'a\.pdf'"):
        rnncli.plot("absent.csv", jobs_model, output="a.pdf")
    with pytest.raises(UsageError, match="--horizon is for a forecast that is made"):
        rnncli.plot(jobs, forecast="f.csv", horizon=3)
    (tmp_path / "a.png").write_text("precious")
    with pytest.raises(OutputExists):
        rnncli.plot(jobs, jobs_model, output=tmp_path / "a.png", if_exists="error")
    with pytest.raises(UsageError, match="DATA reads this, and --output would replace it"):
        rnncli.plot(tmp_path / "a.png", jobs_model, output=tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependency, match="a picture needs matplotlib") as refused:
        rnncli.plot(jobs, jobs_model, output=tmp_path / "b.png")
    assert refused.value.hint == "pip install 'rnncli[plot]'"
    assert (tmp_path / "a.png").read_text() == "precious"
    assert not (tmp_path / "b.png").exists()


def test_a_model_that_makes_something_else_says_what_shows_it(sample_data: Path, tmp_path: Path) -> None:
    data, path = sample_data / "digits.csv", tmp_path / "digits.safetensors"
    rnncli.train(data, label="digit", steps=1, hidden=4, layers=1, batch=4, members=1, output=path)
    with pytest.raises(UsageError, match="the model makes labels") as refused:
        rnncli.plot(data, path)
    assert refused.value.hint == INSTEAD["labels"]
    with pytest.raises(UsageError, match="--plot draws forecasts and frames, and the model makes labels"):
        rnncli.evaluate(data, path, plot=tmp_path / "a.png")


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<svg "), ("html", b"<!DOCTYPE html>")])
def test_a_file_is_what_its_suffix_says_and_the_same_each_time(
    run_rnncli: Run, jobs: Path, jobs_model: Path, tmp_path: Path, suffix: str, begins: bytes
) -> None:
    path = tmp_path / f"a.{suffix}"
    done = run_rnncli("plot", jobs, "-m", jobs_model, "--ids", "nonfarm", "-o", path)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"wrote {path}: Forecast of employees, 6 steps of 1 month" in done.stderr
    assert path.read_bytes().startswith(begins)
    assert path.read_bytes() == rnncli.plot(jobs, jobs_model, ids=["nonfarm"]).picture.encode(suffix)
    assert [other for other in tmp_path.iterdir() if not other.name.startswith(".")] == [path]


def test_predict_and_evaluate_draw_beside_what_they_say(
    run_rnncli: Run, jobs: Path, jobs_model: Path, tmp_path: Path
) -> None:
    done = run_rnncli("predict", jobs, "-m", jobs_model, "--plot", tmp_path / "p.svg")
    assert done.stdout == run_rnncli("predict", jobs, "-m", jobs_model).stdout
    assert "the largest, 6 of 22 series" in done.stderr
    assert (tmp_path / "p.svg").read_bytes() == rnncli.predict(jobs, jobs_model).plot().encode("svg")
    done = run_rnncli("evaluate", jobs, "-m", jobs_model, "--no-refit", "--plot", tmp_path / "e.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")
    assert "in-sample" in done.stderr


def terminal(arguments: list[object], environment: dict[str, str]) -> str:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rnncli", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    found = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the terminal is gone
            break
        if not part:
            break
        found += part
    assert process.wait() == 0
    os.close(ours)
    return found.decode().replace("\r\n", "\n")


def test_colours_are_for_terminals_that_show_them(
    run_rnncli: Run, jobs: Path, jobs_model: Path, environment: dict[str, str]
) -> None:
    command = ["plot", jobs, "-m", jobs_model, "--series", 1, "--as-of", "2015-03-01"]
    plain = run_rnncli(*command).stdout
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 80
    coloured = {name: value for name, value in environment.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    shown = terminal(command, coloured)
    assert "\x1b[1;94m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == plain
    assert terminal(command, coloured | {"NO_COLOR": "1"}) == plain


def test_the_terminal_needs_no_matplotlib_and_plain_predictions_do_not_load_it(
    run_python: Run, jobs: Path, jobs_model: Path
) -> None:
    hidden = "import sys; sys.modules['matplotlib'] = None; sys.argv = ['rnncli', *sys.argv[1:]]; "
    code = hidden + "from rnncli.cli.app import main; main()"
    done = run_python("-c", code, "plot", jobs, "-m", jobs_model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("┤") == 9
    after = "import rnncli, sys; rnncli.predict(sys.argv[1], sys.argv[2]); print('matplotlib' in sys.modules)"
    assert run_python("-c", after, jobs, jobs_model).stdout == "False\n"


def test_a_forecast_shows_itself_in_a_notebook(jobs: Path, jobs_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forecast = rnncli.predict(jobs, jobs_model)
    shown = forecast._repr_html_()
    assert shown.startswith("<p><b>Forecast</b></p><table>")
    assert re.search(r'<img alt="Forecast of employees, 6 steps[^"]*" src="data:image/png;base64,iVBOR', shown)
    drawn = forecast.plot(["construction"], unit="thousand persons")
    assert drawn.figure.axes[0].get_ylabel() == "employees (thousand persons)"
    assert str(drawn).splitlines()[2] == "construction, employees (thousand persons)"
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "<img" not in forecast._repr_html_()
    assert forecast.plot()._repr_png_() is None
