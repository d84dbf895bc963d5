"""Scores as a picture: what is drawn is what the report says."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.charts.score_page import score_page
from rnncli.charts.scores import ScorePicture
from rnncli.data.panel import Panel
from rnncli.evaluation.backtest import rolling_origins
from rnncli.evaluation.report import Report
from rnncli.evaluation.run import Made, evaluate_made

pytest.importorskip("matplotlib")
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


@pytest.fixture(scope="module")
def report(weekly_waves: Panel) -> Report:
    splits = rolling_origins(weekly_waves, 4, windows=2)
    spread = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    made = [Made(20 + spread + np.zeros((6, 4, 1)), np.full((6, 4), 20.0)) for _ in splits]
    return evaluate_made(weekly_waves, splits, made, LEVELS, 7)


@pytest.fixture(scope="module")
def drawn(report: Report) -> ScorePicture:
    return report.pictured


def test_scores_by_lead_are_those_of_the_lead_alone(report: Report, weekly_waves: Panel) -> None:
    splits = rolling_origins(weekly_waves, 4, windows=2)
    whole = np.concatenate([split.actual(weekly_waves) for split in splits])
    scale = report.made["model"].scale
    for lead in range(4):
        row = next(row for row in report.rows("lead") if row["lead"] == lead + 1 and row["forecaster"] == "model")
        away = np.abs(whole[:, lead] - 20)
        assert row["mase"] == pytest.approx(float((away / scale).mean()))
        assert row["mae"] == pytest.approx(float(away.mean()))
        assert row["coverage_80"] == pytest.approx(float((away <= 2).mean()))
    assert len(report.to_json(by="lead")["by_lead"]) == 4 * len(report.scores)


def test_the_lines_by_lead_are_the_rows_by_lead(report: Report, drawn: ScorePicture) -> None:
    for place, metric in enumerate(("mase", "wql")):
        lines = {line.get_label(): line.get_ydata() for line in drawn.figure.axes[place].get_lines()}
        for name in report.scores:
            rows = [row[metric] for row in report.rows("lead") if row["forecaster"] == name]
            np.testing.assert_array_equal(lines[name], rows)


def test_coverage_stands_over_its_level(report: Report, drawn: ScorePicture) -> None:
    document = report.to_json()["scores"]["model"]
    _, model, *_ = drawn.figure.axes[2].get_lines()  # the first is the diagonal
    np.testing.assert_array_equal(model.get_xdata(), [50, 80])
    np.testing.assert_array_equal(model.get_ydata(), [100 * document["coverage_50"], 100 * document["coverage_80"]])


def test_series_are_in_the_order_of_their_errors(report: Report, drawn: ScorePicture) -> None:
    found = {row["id"]: row["mase"] for row in report.series_rows() if row["forecaster"] == "model"}
    axes = drawn.figure.axes[3]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == sorted(found, key=lambda name: -found[name])
    np.testing.assert_array_equal(axes.get_lines()[0].get_xdata(), [found[name] for name in names])


def test_every_panel_has_a_title_and_two_labels(drawn: ScorePicture) -> None:
    for axes in drawn.figure.axes:
        assert axes.get_title()
        assert axes.get_xlabel()
    assert [text.get_text() for text in drawn.figure.legends[0].get_texts()] == list(drawn.forecasters)


def test_a_picture_without_any_defined_score_says_so(build: object) -> None:
    panel = build(np.full(12, 3.0))  # type: ignore[operator]
    splits = rolling_origins(panel, 2)
    report = evaluate_made(panel, splits, [Made(np.full((1, 2, 1), 3.0), np.full((1, 2), 3.0))], (0.5,), 7)
    texts = {text.get_text() for axes in report.pictured.figure.axes for text in axes.texts}
    assert {"MASE is undefined here", "there are no central intervals"} <= texts
    assert report.pictured.encode("png").startswith(b"\x89PNG")


def test_a_page_has_the_numbers_in_tables(report: Report, drawn: ScorePicture) -> None:
    page = score_page(drawn).decode()
    model = report.to_json()["scores"]["model"]
    assert f"<td>{100 * model['coverage_80']:.1f} %</td>" in page
    assert "Scores by lead" in page
    assert "http" not in page.replace("http-equiv", "")
