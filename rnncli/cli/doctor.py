"""The report of `rnncli inspect-gradients` as text, on one screen: what was looked at, a verdict for each layer, what
is wrong, what may be done and, where it was tried, whether it helps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnncli.cli.sparkline import log_sparkline, sparkline
from rnncli.cli.table import facts, table
from rnncli.cli.terminal import width
from rnncli.outline import counted

if TYPE_CHECKING:
    from rnncli.diagnostics.dynamics import LayerDynamics
    from rnncli.diagnostics.evidence import Evidence
    from rnncli.diagnostics.finding import Finding
    from rnncli.diagnostics.profile import LayerFlow
    from rnncli.diagnostics.report import GradientReport
    from rnncli.diagnostics.trial import Trial
    from rnncli.workflows.inspect_gradients import Inspection

Interval = tuple[float, float] | None
SPARK = 28
PRECISION = 1.2e-7  # of float32: a gradient below it is gone, and has no bar
TENSORS = 3
WANTED = 0.01  # of a tensor's norm, a step
MANY = 10
_COLUMNS = (
    "  left by a layer's own recurrence, and by all layers; across: the gradient that comes down to a",
    "  layer at one step, beside that at the last one",
)


def shown(done: Inspection) -> list[str]:
    """The whole report."""
    report = done.report
    parts = [
        facts([*subject(done), *panels(report.evidence)], width(1)),
        layers(report),
        reach(report),
        findings(report),
        rules(report),
        remedies(report),
        trials(report),
        [f"failed: {', '.join(done.failed)}"] if done.failed else [],
    ]
    lines = [line for part in parts if part for line in ("", *part)]
    return [*done.notes, *lines[1:]]


def subject(done: Inspection) -> list[tuple[str, str]]:
    """What was examined, and on what."""
    from rnncli.cells.named import with_activation
    from rnncli.diagnostics.evidence import SEASON

    of, evidence = done.report.evidence.subject, done.report.evidence
    cell = with_activation(of.cell, of.activation)
    lags = " and ".join(map(str, of.lags_that_matter))
    matter = f"{of.lag_name}s of {lags} steps" if lags else f"no {of.lag_name}" if of.lag_name == SEASON else ""
    layers = "1 layer" if of.layers == 1 else f"{of.layers} layers"
    series, origins = len(set(evidence.groups.tolist())), len(evidence.groups)
    asked = "" if of.whole else f" {counted(origins, of.questions)},"
    back = evidence.flow.layers[0].lags - 1
    return [
        ("diagnosis", _diagnosis(done.report)),
        ("network", f"{done.source}: {cell}, {layers} of {of.hidden} units, init {of.init}, context {of.context}"),
        (
            "looked at",
            f"{counted(series, of.units)},{asked} {back} steps back; a step is {done.frequency}"
            + (f"; {matter}" if matter else ""),
        ),
    ]


def _diagnosis(report: GradientReport) -> str:
    """The faults by name with the layers that have them, or that there are none."""
    return (
        "; ".join(_where(report, check) for check in dict.fromkeys(f.check for f in report.faults)) or report.diagnosis
    )


def _where(report: GradientReport, check: str) -> str:
    places = [fault.place for fault in report.faults if fault.check == check and fault.place]
    return f"{check} in {' and '.join(dict.fromkeys(places))}" if places else check


def panels(evidence: Evidence) -> list[tuple[str, str]]:
    """Memory, gates, steps and series, a line each."""
    return [*_memory(evidence), *_gates(evidence), _steps(evidence), *_series(evidence)]


def _memory(evidence: Evidence) -> list[tuple[str, str]]:
    from rnncli.diagnostics.checks.vanishing import bypass

    memory, context = evidence.memory, evidence.memory.lengths[-1]
    last = "the last step gives" if memory.used == 1 else f"the last {memory.used} steps give"
    needs = f"{last} the loss of all {context}" if memory.used < context else f"the loss needs all {context} steps"
    length = memory.response_length
    fades = f"falls to 1 % in {length} steps" if length is not None else "does not fade"
    ends = f" and is gone after {memory.finite}" if memory.finite is not None else ""
    gone = [
        flow.layer for flow, v in zip(evidence.flow.layers, evidence.verdicts, strict=True) if v.name == "vanishing"
    ]
    past = f"{bypass(evidence, max(gone)).replace(' it ', f' layer {max(gone)} ')}" if gone else ""
    return [
        ("memory", f"{needs}; what a change of one input does to the output {fades}{ends}{past}"),
        ("", f"by steps since, 1 to 1e-4: {log_sparkline(memory.response.tolist(), 1e-4, SPARK)}"),
    ]


def _gates(evidence: Evidence) -> list[tuple[str, str]]:
    found = []
    for one in evidence.activity:
        named = [f"{g.name} {sparkline(g.histogram, 0.0, max(g.histogram), 10)}" for g in one.gates]
        kept = one.kept
        held = f"units remember {kept[0]:.3g} to {kept[-1]:.3g} steps" if len(kept) else ""
        quarter = max(evidence.subject.lags_that_matter, default=0)
        ratio = f", {one.keeping(quarter):.0%} of them a quarter of {quarter}" if quarter else ""
        dead = f", {one.dead:.0%} never move" if one.dead else ""
        values = f"values of {' '.join(named)}; " if named else ""
        found.append((one.name, f"{values}{held}{ratio}{dead}"))
    return found


def _steps(evidence: Evidence) -> tuple[str, str]:
    steps = evidence.steps
    if not steps.watched:
        return "training", evidence.diverged or "no step was taken"
    by_update = sorted((name for name in steps.tensors if "bias" not in name), key=steps.update, reverse=True)
    longest = ", ".join(f"{name} {steps.update(name):.2g}" for name in by_update[:TENSORS])
    broke = f"; {evidence.diverged}" if evidence.diverged else ""
    usual = sorted(steps.norms)[len(steps.norms) // 2]
    norm = f"gradient norm {usual:.3g}, {steps.clipped:.0%} clipped at {evidence.subject.clip:g}"
    taken = f"{len(steps.watched)} steps from here: {norm}"
    return "training", f"{taken}; a step changes most, for its size: {longest} ({WANTED:g} is usual){broke}"


def _series(evidence: Evidence) -> list[tuple[str, str]]:
    shares = evidence.series
    if len(shares.ids) < 2:
        return []
    worst = max(range(len(shares.ids)), key=lambda s: shares.losses[s] if math.isfinite(shares.losses[s]) else math.inf)
    part = shares.share(shares.ids[worst], shares.losses)
    every = counted(len(shares.ids), evidence.subject.units)
    return [("series", f"{shares.ids[worst]!r} has the largest loss, {part:.0%} of that of {every}")]


def layers(report: GradientReport) -> list[str]:
    """For each layer its verdict, what is left of its gradient, how it fades, and how far disturbances grow."""
    evidence = report.evidence
    lag = max((v.lag for v in report.verdicts if v.lag is not None), default=evidence.flow.layers[0].lags - 1)
    several = any(flow.alone is not None for flow in evidence.flow.layers)
    beside = ["all layers", "across"] if several else ["half-life"]
    header = ["layer", "verdict", f"left at lag {lag}", *beside, "Lyapunov", "by lag, 1 to 1e-7"]
    rows, top, size = [], evidence.flow.layers[-1].own.profile()[0], SPARK - 8 * several
    for verdict, flow, moving in zip(report.verdicts, evidence.flow.layers, evidence.dynamics, strict=True):
        own = flow.own
        profile = own.profile()
        spark = log_sparkline((profile / profile[0] if profile[0] > 0 else profile).tolist(), PRECISION, size)
        left = _with(own.share_left(lag), own.share_interval(lag))
        both = [_with(flow.share_left(lag), None), _with(profile[0] / top if top > 0 else None, None)]
        rows.append(
            [
                flow.name.removeprefix("layer "),
                verdict.name,
                left,
                *(both if several else [_life(own)]),
                f"{moving.largest:.3g}",
                spark.ljust(size),
            ]
        )
    return [*table(header, rows), *(_COLUMNS if several else []), *_readings(evidence), *_radius(evidence)]


def _readings(evidence: Evidence) -> list[str]:
    """What each Lyapunov exponent, in nats a step, says of a small disturbance of the state."""
    return [f"  {one.name}: {reading(one)}" for one in evidence.dynamics if one.largest and math.isfinite(one.largest)]


def reading(one: LayerDynamics) -> str:
    """What becomes of a small disturbance, and whether that is well."""
    grows = one.largest > 0
    means = "almost equal histories end far apart" if grows else "the state forgets where it began"
    return f"a small disturbance {'doubles' if grows else 'halves'} in {_steps_of(one)}: {means}"


def _steps_of(one: LayerDynamics) -> str:
    steps = math.log(2) / abs(one.largest)
    return f"{steps:.2g} steps" if steps < MANY else f"{steps:,.0f} steps"


def reach(report: GradientReport) -> list[str]:
    """How far around a pixel the network looks, by lag; nothing where it has no grid."""
    outline = report.outline()
    return [*table(outline.header, outline.rows), outline.more] if outline.rows else []


def _radius(evidence: Evidence) -> list[str]:
    """The size of the recurrent weights, where it decides something."""
    return [
        f"  {one.name}: recurrent weights of spectral radius {one.radius:.3g}, largest gain {one.gain:.3g}"
        for one in evidence.dynamics
        if one.radius is not None and one.gain is not None
    ]


def _life(flow: LayerFlow) -> str:
    """What ends at once, as the response of a finite filter, has no half-life."""
    if flow.half_life is not None:
        return f"{flow.half_life:.3g} steps"
    return "does not fade" if flow.gone is None else f"ends at {flow.gone} steps"


def _with(value: float | None, interval: Interval) -> str:
    between = f" ({interval[0]:.2g} to {interval[1]:.2g})" if interval else ""
    return "-" if value is None else f"{value:.2g}{between}"


def findings(report: GradientReport) -> list[str]:
    """What is wrong, and what is worth knowing."""
    if not report.findings:
        return ["nothing is wrong with these gradients"]
    return facts([(_heading(one), f"{_place(one)}{one.says}") for one in report.findings])


def rules(report: GradientReport) -> list[str]:
    """What each verdict and finding rests on, once."""
    from rnncli.diagnostics.verdict import RULES

    found = {verdict.name: RULES[verdict.name] for verdict in report.verdicts}
    found |= {one.check: one.rule for one in report.findings}
    return ["the rules", *facts([(f"  {name}", rule) for name, rule in found.items()])]


def _heading(one: Finding) -> str:
    return f"{one.severity}: {one.check}"


def _place(one: Finding) -> str:
    return f"{one.place}: " if one.place else ""


def remedies(report: GradientReport) -> list[str]:
    """What may be done, the best first."""
    if not report.proposals:
        return []
    pairs = [(f"  {p.flags}" if p.flags else "  look", p.why) for p in report.proposals]
    tried = (
        ""
        if report.before is not None or not any(p.flags for p in report.proposals)
        else "; --try says whether they help on these data"
    )
    return [f"remedies, as flags of train, the best first{tried}", *facts(pairs)]


def trials(report: GradientReport) -> list[str]:
    """Before and after, with intervals, and whether it helped."""
    if report.before is None:
        return []
    lag = report.before.lag
    header = [
        f"tried, {report.before.steps} steps each",
        "validation loss",
        "lower by",
        f"left at lag {lag}",
        "verdicts",
    ]
    tried: Sequence[Trial] = (report.before, *report.trials)
    lines = table(header, [_trial_row(trial) for trial in tried])
    outcomes = [f"{trial.proposal.flags} {trial.conclusion}" for trial in report.trials if trial.proposal]
    return [*lines, *outcomes]


def _trial_row(trial: Trial) -> list[str]:
    gain = "" if trial.against is None else _percent(trial.gain, trial.gain_interval)
    left = min((share for share in trial.left if share is not None), default=None)
    loss = "not finite" if trial.broke else _with(trial.loss, trial.loss_interval)
    name = trial.proposal.flags if trial.proposal else "as it is"
    name = f"{name}, begun anew" if trial.afresh else name
    return [name, loss, gain, _with(left, None), ", ".join(dict.fromkeys(v.name for v in trial.verdicts))]


def _percent(value: float | None, interval: Interval) -> str:
    if value is None:
        return "-"
    between = f" ({interval[0]:.0%} to {interval[1]:.0%})" if interval else ""
    return f"{value:.0%}{between}"
