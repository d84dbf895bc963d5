"""The sections of a report: what was inferred, what a forecast is made of, scores, calibration, series, drift,
gradients, and how to make it all again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rnncli.charts.choice import chosen
from rnncli.charts.fan_page import fan_charts
from rnncli.charts.page import facts, inline_svg, picture, table
from rnncli.charts.score_page import coverage_table, lead_table, number, percent, score_chart
from rnncli.charts.style import escaped
from rnncli.evaluation.report import SEEN, Report
from rnncli.outline import counted
from rnncli.workflows.evaluate import Evaluation

if TYPE_CHECKING:
    from rnncli.tasks.task import Model
    from rnncli.workflows.inspect_gradients import Inspection

MOST_SERIES = 500  # rows of the table of series


class Section(NamedTuple):
    """A part of the page under its heading, which `anchor` leads to."""

    anchor: str
    heading: str
    body: str


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of text."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{escaped(text)}</p>"


def listing(lines: Sequence[str]) -> str:
    """Lines as a list."""
    return f"<ul>{''.join(f'<li>{escaped(line)}</li>' for line in lines)}</ul>"


def in_short(model: Model, done: Evaluation, inspection: Inspection | None) -> Section:
    """What matters most, a line each."""
    report = _forecasts(done)
    lines = [_beside_the_best(report), *_widest(report)]
    if done.drift is not None:
        lines.append(
            "The data have drifted since training." if done.drift.has_drifted else "The data have not drifted."
        )
    if inspection is not None:
        lines.append(f"The network's gradients: {inspection.report.diagnosis}.")
    honest = {
        True: paragraph(f"In-sample: {SEEN}. These scores say little of what comes.", "bad"),
        False: paragraph("The model had seen no row that is scored here."),
    }
    told = honest.get(bool(report.in_sample), "") if report.in_sample is not None else ""
    verdict = paragraph(f"At training: {model.task.verdict(model)}.") if model.record.get("validation") else ""
    return Section("short", "In short", listing(lines) + told + verdict)


def _beside_the_best(report: Report) -> str:
    """The model's error beside that of the best baseline, and what a paired test says."""
    model, *rivals = report.scores
    errors = {name: report.scores[name].overall["mase"] for name in report.scores}
    known = [name for name in rivals if not math.isnan(errors[name])]
    if math.isnan(errors[model]) or not known:
        return "The scaled error is undefined here: the series do not vary in their past."
    best = min(known, key=lambda name: errors[name])
    found = report.against(best)
    sure = found.method if math.isnan(found.p) else f"one-sided p = {found.p:.2g}, {found.method}"
    word = "less" if errors[model] < errors[best] else "more"
    told = f"The error (MASE) is {errors[model]:.4g}, {word} than the {errors[best]:.4g} of the best baseline, {best}"
    return f"{told} ({sure})."


def _widest(report: Report) -> Iterator[str]:
    levels, shares = report.pictured.coverage(next(iter(report.scores)))
    if len(levels) and not math.isnan(shares[-1]):
        yield f"The {levels[-1]:g} % interval held {shares[-1]:.1f} % of the values."


def _forecasts(done: Evaluation) -> Report:
    assert isinstance(done.report, Report)
    return done.report


def inferred(model: Model, done: Evaluation, notes: Sequence[str]) -> Section:
    """The data, and what was found in them or said of them."""
    report = _forecasts(done)
    told = [("scored", report.headline()), *model.facts()]
    record = model.record
    if "rows" in record:
        rows = f"{record['rows']:,} rows, {record['observed']:,} observed"
        told.insert(0, ("trained on", f"{counted(model.series, model.task.units)}, {rows}"))
    skipped = [f"series {error.series!r} is left out: {error}" for error in done.skipped]
    more = listing([*notes, *skipped]) if notes or skipped else ""
    return Section("data", "Data and model: what was inferred", facts(told, "Read from the data, or said") + more)


def made_of(model: Any) -> Section:
    """The pool: each forecaster with its weight, and how it did on held-out rows of the training."""
    pool, record = model.pool, model.record
    validation = record.get("validation") or {}
    rows = []
    for name, season, weight in zip(pool.names, pool.seasons, pool.weights, strict=True):
        scores = validation.get(name.replace("-", " "), {})
        rows.append([name.replace("-", " "), f"{season:,}", f"{100 * weight:.0f} %", *_scored(scores)])
    others = [name for name in validation if name.replace(" ", "-") not in pool.names and name != "forecast"]
    rows += [[name, "-", "0 %", *_scored(validation[name])] for name in others]
    rows += [["all together", "-", "100 %", *_scored(validation["forecast"])]] if "forecast" in validation else []
    kinds = " Each kind of series has shares of its own; these are those of all." if pool.own else ""
    where = record.get("validated_origins", 0)
    held = f" Scores are of {where:,} origins that the search had not seen." if where else ""
    said = (
        f"Quantiles of the network and of simple forecasts are averaged, by shares that held-out rows ask for.{kinds}"
    )
    header = ["forecaster", "season (steps)", "share", "MASE, held out", "WQL, held out"]
    return Section(
        "made",
        "What the forecast is made of",
        paragraph(said + held) + table(header, rows, "Shares and held-out scores"),
    )


def _scored(scores: dict[str, float | None]) -> list[str]:
    return [number(math.nan if (value := scores.get(metric)) is None else value) for metric in ("mase", "wql")]


def scores(done: Evaluation) -> Section:
    """Every metric of the model beside the baselines, and the paired tests."""
    report = _forecasts(done)
    model, *rivals = report.scores
    skill = report.skill.get(model, {})
    rows = [
        [
            metric,
            *(number(one.overall[metric]) for one in report.scores.values()),
            number(skill.get(metric, math.nan)),
        ]
        for metric in report.metrics
    ]
    whole = table(["metric", *report.scores, "skill"], rows, f"Scores: {report.headline()}")
    skill_says = "Skill is 1 - score / the seasonal naive's score; lower scores are better, coverage near its level."
    tests = [(rival, report.against(rival)) for rival in rivals]
    tested = table(
        ["baseline", "MASE, model less baseline", "p", "test"],
        [[rival, _signed(one.difference), _chance(one.p), one.method] for rival, one in tests],
        "Is the model better than chance would have it? p is one-sided: of a difference as good if it were no better",
    )
    notes = listing(report.remarks()) if report.remarks() else ""
    return Section("scores", "Scores beside baselines", whole + paragraph(skill_says, "soft") + tested + notes)


def _chance(p: float) -> str:
    return "-" if math.isnan(p) else f"{p:.3g}"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.4g}"


def calibration(done: Evaluation) -> Section:
    """Scores by lead, coverage by level and errors by series, drawn; and the coverage in a table."""
    drawn = _forecasts(done).pictured
    said = (
        "An interval of 80 % should hold 80 % of the values: more, and it is too wide; fewer, and it promises too much."
    )
    body = paragraph(said) + score_chart(drawn, lead_table(drawn)) + coverage_table(drawn)
    return Section("calibration", "Calibration, lead and series", body)


def worst(done: Evaluation, series: int, unit: str) -> Section:
    """The series with the largest errors as pictures, and the errors of all."""
    report, fans = _forecasts(done), done.fans
    assert fans is not None
    order = "worst" if np.isfinite(fans.errors).any() else "largest"
    shown = fans.select(chosen(fans, None, order, series))
    said = f"The {order} {len(shown)} of {len(fans):,} series in the last window, with what came."
    model, *rivals = report.scores
    rows = _by_series(report)
    cut = f", the first {MOST_SERIES:,}" if len(rows) > MOST_SERIES else ""
    every = table(["series", model, *rivals], rows[:MOST_SERIES], f"MASE by series, the worst first{cut}")
    folded = f"<details><summary>Errors of every series</summary>{every}</details>"
    return Section("worst", "The worst series", paragraph(said) + fan_charts(shown, unit) + folded)


def _by_series(report: Report) -> list[list[str]]:
    errors = [one.per_series["mase"] for one in report.scores.values()]
    order = np.argsort(np.where(np.isnan(errors[0]), np.inf, -errors[0]), kind="stable")
    return [[report.ids[place], *(number(float(one[place])) for one in errors)] for place in order.tolist()]


def drift(done: Evaluation) -> Section:
    """What is new since training, column by column."""
    found = done.drift
    if found is None:
        return Section("drift", "Drift since training", paragraph("The model has no statistics of its training."))
    rows = [
        [
            column.name,
            "yes" if column.has_drifted else "no",
            f"{len(column.drifted):,} of {column.compared:,}",
            number(column.distance),
            percent(100 * column.missing_before),
            percent(100 * column.missing_now),
        ]
        for column in found.columns
    ]
    header = ["column", "drifted", "series beyond the range", "distance of the worst", "missing before", "missing now"]
    new = f"{found.new_rows:,} rows are newer than the training, {found.new_series:,} series are new."
    said = "A distance above 1 is farther from the middle than training saw any stretch as long."
    return Section(
        "drift", "Drift since training", paragraph(new) + table(header, rows, "By column") + paragraph(said, "soft")
    )


def gradients(inspection: Inspection | None, why_not: str) -> Section:
    """The diagnosis of the network's gradients, with its picture."""
    heading = "Gradients of the network"
    if inspection is None:
        return Section("gradients", heading, paragraph(f"Not looked at: {why_not}."))
    from rnncli.diagnostics.plot import drawn
    from rnncli.diagnostics.plot import heading as said

    report = inspection.report
    verdicts = [
        [flow.name, verdict.name, verdict.reason]
        for flow, verdict in zip(report.evidence.flow.layers, report.verdicts, strict=True)
    ]
    layers = table(["layer", "verdict", "why"], verdicts, "Verdict on each layer")
    found = [
        f"{one.severity}: {one.check}{f', {one.place}' if one.place else ''}: {one.says}" for one in report.findings
    ]
    remedies = [f"{one.flags}: {one.why}" if one.flags else one.why for one in report.proposals]
    beside = listing(found or ["Nothing is wrong with these gradients."])
    if remedies:
        beside += paragraph("Remedies, as flags of train, the best first:") + listing(remedies)
    svg = inline_svg(drawn(report, inspection.frequency), said(report))
    return Section("gradients", heading, beside + layers + picture(svg, said(report), "", large=True))


def again(trained: str, others: Sequence[str], facts_: Sequence[tuple[str, str]], *, given: bool) -> Section:
    """The commands that make the model ("" where none does, as of one that was `given` with the program), its scores
    and this page, and what they were made with.
    """
    block = "".join(f"<pre><code>{escaped(command)}</code></pre>" for command in (trained, *others) if command)
    said = "With the same data and versions these print the same scores, and make this page."
    if trained:
        said = "The first command makes the same model again, under a name of its own; with the model, the same data"
        said += " and versions the others print the same scores, and make this page."
    elif not given:
        said += " The model was made of other data, by other versions, from another model or within a time budget: no"
        said += " command makes it again from these data."
    return Section("again", "How to reproduce it", paragraph(said) + block + facts(facts_, "Made with"))
