"""`rnncli inspect-gradients`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from rnncli.cli.options import Architecture, Data, InspectOptions, ModelIfAny, Threads
from rnncli.cli.streams import Streams
from rnncli.cli.table import facts, fitting, number, table
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.diagnostics.report import GradientReport, LayerGradients
    from rnncli.workflows.inspect_gradients import Inspection


def inspect_gradients(
    streams: Streams,
    data: Data,
    model: ModelIfAny = None,
    threads: Threads = None,
    **options: Unpack[InspectOptions],
) -> None:
    """Show where gradients vanish or explode, and why."""
    if model is not None:
        _check(options)
    from rnncli.workflows.inspect_gradients import inspect_gradients as work

    done = work(data, model, threads=threads, on_event=streams, **options)
    text = "".join(f"{line}\n" for line in shown(done))
    streams.result(done.to_json, text.encode(errors="backslashreplace"))


def _check(options: Any) -> None:
    given = [name.replace("_", "-") for name in Architecture.__annotations__ if options.get(name, False) is not False]
    if given:
        raise UsageError(f"--{given[0]} describes a network, but -m gives one", hint=f"leave -m or --{given[0]} out")


def shown(done: Inspection) -> list[str]:
    """The whole report as text."""
    report = done.report
    cell = f"{report.cell} ({report.activation})" if report.cell == "rnn" else report.cell
    seasons = ", ".join(map(str, report.seasons)) if report.seasons not in ((), (1,)) else "none"
    return [
        *facts(
            [
                ("network", f"{done.source}: {cell}, {len(report.layers)} x {report.hidden}"),
                ("looked at", f"{report.series:,} series, {report.context} steps back (every {done.frequency})"),
                ("seasons", seasons),
                ("loss", number(report.loss)),
            ]
        ),
        "",
        *done.notes,
        *verdicts(report),
        "",
        *profiles(report),
        "",
        *parameters(report),
        "",
        *rules(),
    ]


def verdicts(report: GradientReport) -> list[str]:
    """For each layer its verdict, why, and how fast its gradient fades."""
    header = ["layer", "verdict", "decay/step", "half-life", *(f"in seasons of {m}" for m in _seasons(report))]
    rows = [_verdict_row(layer, _seasons(report)) for layer in report.layers]
    reasons = [f"layer {layer.layer} is {layer.verdict.name}: {layer.verdict.reason}" for layer in report.layers]
    return [*table(header, rows), *reasons]


def _verdict_row(layer: LayerGradients, seasons: tuple[int, ...]) -> list[str]:
    half = layer.half_life
    in_seasons = [number(None if half is None else half / season) for season in seasons]
    return [str(layer.layer), layer.verdict.name, number(layer.decay_rate), number(half), *in_seasons]


def profiles(report: GradientReport) -> list[str]:
    """The share of the gradient at the origin that is left further back, layers side by side."""
    lags, bare, full = _lags(report), ["lag"], ["lag"]
    for layer in report.layers:
        bare += [f"layer {layer.layer}"]
        full += [f"layer {layer.layer}", "90 % interval"]
    with_intervals = [
        [_named(lag, report), *(cell for one in report.layers for cell in _share(one, lag))] for lag in lags
    ]
    fits = fitting(full, with_intervals) == len(full)
    rows = with_intervals if fits else [[row[0], *row[1::2]] for row in with_intervals]
    return ["gradient left by lag, as a share of that at the origin", *table(full if fits else bare, rows)]


def _lags(report: GradientReport) -> list[int]:
    """0, powers of two, the seasons and the last lag."""
    last = min(len(layer.profile()) for layer in report.layers) - 1
    powers = [1 << place for place in range(last.bit_length())]
    return sorted({0, last, *(lag for lag in (*powers, *_seasons(report)) if lag <= last)})


def _named(lag: int, report: GradientReport) -> str:
    return f"{lag} (season)" if lag in _seasons(report) else str(lag)


def _share(layer: LayerGradients, lag: int) -> tuple[str, str]:
    """The share left, and its interval over series."""
    interval = layer.share_interval(lag) if lag else None
    left = layer.share_left(lag)
    between = f"{interval[0]:.2g} to {interval[1]:.2g}" if interval else "-"
    return "-" if left is None else f"{left:.3g}", between


def parameters(report: GradientReport) -> list[str]:
    """The norms of the weights' gradients, and of each gate's part."""
    rows = [
        [one.tensor, number(one.gradient), number(one.weight), ", ".join(f"{g} {n:.2g}" for g, n in one.gates.items())]
        for one in report.parameters
    ]
    return table(["tensor", "gradient norm", "weight norm", "gates"], rows)


def rules() -> list[str]:
    """What the verdicts mean."""
    from rnncli.diagnostics.verdict import RULES

    return ["rules", *facts([(f"  {name}", rule) for name, rule in RULES.items()])]


def _seasons(report: GradientReport) -> tuple[int, ...]:
    return tuple(season for season in report.seasons if season > 1)
