"""The report as a picture: gradient by lag and layer, gates, Lyapunov spectrum, and before and after a remedy.

Readable at 800 pixels, in the look of every picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli.charts.style import COLOURS, FONT, STYLES, encoded, figure, styled
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.gates import HIGH, LOW, LayerActivity
from rnncli.diagnostics.profile import PRECISION, LayerFlow
from rnncli.diagnostics.reach import Reach
from rnncli.diagnostics.report import GradientReport
from rnncli.diagnostics.verdict import VANISHING_SHARE

ROW = 2.9  # inches


def draw(report: GradientReport, step: str, kind: str) -> bytes:
    """A picture of `kind` png or svg; `step` says how long a step is. The same report gives the same bytes."""
    return encoded(drawn(report, step, heading(report)), kind, heading(report))


def heading(report: GradientReport) -> str:
    """What the picture shows."""
    return f"Gradients of {_name(report)}: {report.diagnosis}"


def drawn(report: GradientReport, step: str, title: str = "") -> Any:
    """The figure of matplotlib, under a title or none. MissingDependency where that is not installed."""
    with styled():
        tried, reached = report.before is not None, report.evidence.reach
        rows = 2 + tried + (reached is not None)
        made = figure(ROW * rows + 0.5)
        axes = made.subplots(rows, 2)
        evidence = report.evidence
        if title:
            made.suptitle(title, fontsize=FONT + 3)
        _profiles(axes[0, 0], evidence, step)
        _heat_map(axes[0, 1], made, evidence, step)
        _gates(axes[1, 0], evidence)
        _spectrum(axes[1, 1], evidence)
        if tried:
            _trials(axes[2, 0], report)
            _left(axes[2, 1], report)
        if reached is not None:
            _reach(axes[-1, 0], reached, step)
            _neighbourhood(axes[-1, 1], made, reached)
    return made


def _name(report: GradientReport) -> str:
    of = report.evidence.subject
    layers = "1 layer" if of.layers == 1 else f"{of.layers} layers"
    return f"{of.cell}, {layers} of {of.hidden} units, {'trained' if of.trained else 'untrained'}"


def _style(place: int) -> dict[str, str]:
    """The colour and the line of a layer, or of a direction of one, by its place among them."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": STYLES[place % len(STYLES)]}


def _relative(flow: LayerFlow) -> Any:
    profile = flow.own.profile()
    with np.errstate(all="ignore"):
        relative = profile / profile[0] if profile[0] > 0 else np.zeros_like(profile)
    relative = np.clip(np.nan_to_num(relative, nan=1e12, posinf=1e12), 0, 1e12)
    return np.where(relative < 1e-12, np.nan, relative)  # a line that ends, not one that stays there


def _profiles(axes: Any, evidence: Evidence, step: str) -> None:
    """The gradient left by lag: a line a layer, by its own recurrence; the lags that matter, the share below which it
    vanishes there, and float32's precision.
    """
    for place, flow in enumerate(evidence.flow.layers):
        share = _relative(flow)
        lags = np.flatnonzero(np.isfinite(share))  # a dilated layer reaches some of them only
        apart = "." if len(lags) and len(lags) <= lags[-1] else ""
        axes.semilogy(lags, share[lags], label=flow.name, marker=apart, **_style(place))
    axes.axhline(PRECISION, color="0.6", linewidth=0.8)
    note = {"color": "0.35", "fontsize": FONT - 2, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.5}}
    axes.text(0, PRECISION / 1.5, "below: gone in float32", va="top", **note)
    axes.axhline(VANISHING_SHARE, color="0.6", linewidth=0.8, linestyle=":")
    axes.text(0, VANISHING_SHARE / 1.5, "below: too little to learn from", va="top", **note)
    axes.set_ylim(bottom=PRECISION / 20)
    subject, shown = evidence.subject, evidence.flow.layers[0].lags
    for lag in (lag for lag in subject.lags_that_matter if lag < shown):
        axes.axvline(lag, color="0.8", linewidth=0.8, zorder=0)
        said, across = f"{subject.lag_name} {lag}", axes.get_xaxis_transform()
        axes.text(lag, 1.02, said, transform=across, fontsize=FONT - 2, ha="center")
    axes.set(xlabel=f"lag (steps of {step})", ylabel="share of gradient at lag 0")
    axes.set_title("How far back the error is heard, by layer", pad=14)
    axes.legend(frameon=False)


def _heat_map(axes: Any, figure: Any, evidence: Evidence, step: str) -> None:
    """log10 of the share by lag, a row for each layer's states and gates. A gate that has nothing to let through, as
    before the first step, has no colour.
    """
    names, rows = [], []
    for layer in evidence.flow.layers:
        for name in (name for name in layer.norms if name != "state"):
            profile = layer.profile(name)
            names.append(f"{layer.name}: {name}")
            rows.append(np.log10(np.clip(profile / max(profile.max(), 1e-300), 1e-8, 1)))
            rows[-1][_nothing_there(profile)] = np.nan
    axes.set_facecolor("0.9")
    image = axes.imshow(np.array(rows), aspect="auto", cmap="cividis", vmin=-8, vmax=0, interpolation="nearest")
    axes.set_yticks(range(len(names)), names, fontsize=FONT - 2)
    axes.set(xlabel=f"lag (steps of {step}); dark: nothing arrives")
    axes.set_title("The same by state and gate", pad=14)
    figure.colorbar(image, ax=axes, label="share of the largest (log10)")


def _nothing_there(profile: Any) -> Any:
    """The last lag alone, where the gradient is exactly 0 there and not before: at the first step of all the state is
    still 0, and a gate that keeps it has no effect.
    """
    first_step = np.arange(len(profile)) == len(profile) - 1
    return first_step & (profile == 0) & (len(profile) > 1 and profile[-2] > 0)


def _gates(axes: Any, evidence: Evidence) -> None:
    """Histograms of the gates of each layer, one below the other, from shut to open; a number says what share of the
    values the highest bar has, and grey is where a gate is stuck.
    """
    lines = [(_style(of)["color"], one, gate) for of, one in enumerate(evidence.activity) for gate in one.gates]
    for place, (colour, _, gate) in enumerate(reversed(lines)):
        shares = np.array(gate.histogram)
        centres = (np.arange(len(shares)) + 0.5) / len(shares)
        axes.bar(centres, shares / max(shares.max(), 1e-12) * 0.85, 1 / len(shares), bottom=place, color=colour)
        axes.axhline(place, color="0.6", linewidth=0.5)
        said = f"{shares.max():.0%}"
        axes.text(1.02, place + 0.4, said, fontsize=FONT - 2, va="center", color="0.35")
    axes.set_yticks(
        [place + 0.4 for place in range(len(lines))], [_gate_name(one, gate) for _, one, gate in reversed(lines)]
    )
    for low, high in ((0.0, LOW), (HIGH, 1.0)):
        axes.axvspan(low, high, color="0.9", zorder=0)
    axes.set_xticks((0, 0.5, 1), ("0\ntanh: -1", "0.5\n0", "1\n+1"))
    axes.set(title="How open the gates are along the data", xlim=(0, 1), xlabel="value; %: share in the highest bar")
    if not lines:
        axes.text(0.5, 0.5, "this cell has no gates and no tanh", ha="center", transform=axes.transAxes)


def _gate_name(one: LayerActivity, gate: Any) -> str:
    return f"{one.name}: {gate.name} ({gate.kind})"


def _spectrum(axes: Any, evidence: Evidence) -> None:
    """The part by which a small disturbance of the state grows or fades in a step, in each of its directions: of
    exponents l it is exp(l) - 1.
    """
    for of, layer in enumerate(evidence.dynamics):
        style = _style(of)
        spectrum = np.nan_to_num(layer.spectrum, nan=0.0, neginf=-10.0, posinf=10.0)
        change = 100 * np.expm1(np.clip(spectrum, -10, 2))
        place = np.arange(1, len(spectrum) + 1)
        axes.plot(place, change, label=layer.name, **style)
        axes.plot(place[:1], change[:1], "o", color=style["color"])
    axes.axhline(0, color="0.4", linewidth=0.8)
    low, high = axes.get_ylim()
    high = max(high, 0.15 * (high - low))
    axes.set_ylim(low, high)
    axes.axhspan(0, high, color="0.9", zorder=0)
    axes.text(
        0.98,
        0.98,
        "grey: it grows, and the past tells nothing",
        fontsize=FONT - 2,
        color="0.35",
        ha="right",
        va="top",
        transform=axes.transAxes,
    )
    axes.set(
        title="A small disturbance of the state",
        xlabel="direction, the most lasting first (Lyapunov)",
        ylabel="grows or fades in a step by (%)",
    )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)


def _reach(axes: Any, found: Reach, step: str) -> None:
    """Pixels on a side by lag: what the kernels allow, what is not zero, and what holds 90 % of the gradient."""
    lines = (("by the kernels", found.allowed), ("not 0", found.found), ("90 % of the gradient", found.effective))
    for place, (name, sides) in enumerate(lines):
        axes.plot(range(len(sides)), sides, label=name, marker=".", **_style(place))
    axes.set(xlabel=f"lag (steps of {step})", ylabel="pixels on a side", title="How far around a pixel it looks")
    axes.set_ylim(0)
    axes.legend(frameon=False)


def _neighbourhood(axes: Any, figure: Any, found: Reach) -> None:
    """The gradient at every pixel, of all lags, with the square of each lag that holds 90 % of it."""
    total = found.maps.sum(axis=0)
    shown = np.log10(np.clip(total / max(total.max(), 1e-300), 1e-4, 1))
    image = axes.imshow(shown, cmap="cividis", vmin=-4, vmax=0, interpolation="nearest")
    row, column = (size // 2 for size in total.shape)
    pixels = found.pixels
    first_with = {side: lag for lag, side in reversed(list(enumerate(found.effective)))}
    for side, lag in first_with.items():
        half = side / pixels / 2
        left, right, top, bottom = column - half, column + half, row - half, row + half
        axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color="white", linewidth=0.8)
        axes.text(left, top, f" lag {lag}", color="white", fontsize=FONT - 2, va="top", clip_on=True)
    axes.set(title="The neighbourhood, and 90 % of it by lag", xticks=(), yticks=())
    axes.set_xlim(-0.5, total.shape[1] - 0.5)
    axes.set_ylim(total.shape[0] - 0.5, -0.5)
    figure.colorbar(image, ax=axes, label="share of the largest (log10)")


def _trials(axes: Any, report: GradientReport) -> None:
    """The loss after a short training, with intervals, without a remedy and with each."""
    assert report.before is not None
    trials = [report.before, *report.trials]
    for place, trial in enumerate(reversed(trials)):
        if not np.isfinite(trial.loss):
            axes.text(
                0, place, " training broke down", va="center", fontsize=FONT - 2, transform=axes.get_yaxis_transform()
            )
            continue
        low, high = trial.loss_interval or (trial.loss, trial.loss)
        axes.plot([low, high], [place, place], color=COLOURS[0])
        axes.plot(trial.loss, place, "o", color=COLOURS[0])
    if np.isfinite(report.before.loss):
        axes.axvline(report.before.loss, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
    _named(axes, report)
    axes.set(title=f"After {trials[0].steps} steps of training", xlabel="validation loss, 90 % interval")


def _left(axes: Any, report: GradientReport) -> None:
    """The share of the gradient left, lowest layer first, likewise."""
    assert report.before is not None
    trials = [report.before, *report.trials]
    for place, trial in enumerate(reversed(trials)):
        for layer, share in enumerate(trial.left):
            if share is not None and np.isfinite(share):
                low, high = trial.left_intervals[layer] or (share, share)
                colour, at = COLOURS[layer % len(COLOURS)], place - 0.15 * layer
                axes.plot(np.clip([low, high], 1e-12, 1e12), [at, at], color=colour)
                axes.plot(np.clip(share, 1e-12, 1e12), at, "o", color=colour)
    axes.set_xscale("log")
    low, high = np.log10(axes.get_xlim())
    axes.set_xlim(10 ** np.floor(low), 10 ** np.ceil(high))  # whole decades: marks within one would not be readable
    _named(axes, report)
    axes.set(title="Gradient left, layers coloured as above", xlabel=f"share at lag {report.before.lag}, 90 % interval")


def _named(axes: Any, report: GradientReport) -> None:
    names = ["as it is", *(trial.proposal.flags.replace(" --", "\n--") for trial in report.trials if trial.proposal)]
    axes.set_yticks(range(len(names)), names[::-1], fontsize=FONT - 2)
    axes.set_ylim(-0.7, len(names) - 0.3)
