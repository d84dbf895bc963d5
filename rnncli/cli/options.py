"""Every option, once: its type, its flag, and how its text becomes a value; what it means is said in the workflows.

The names are those of the workflows' keywords; left out, the data or the model decide.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import typer

from rnncli.cli import config, values
from rnncli.registry import CELLS, READERS
from rnncli.workflows.options import ON_BAD_SERIES

ACTIVATIONS = ("tanh", "relu")
POINTS = ("median", "mean")
LOG_FORMATS = ("text", "json")
GROUPS = ("series",)
EXISTING = ("replace", "skip", "error")


def _option(flags: str, metavar: str | None = None) -> Any:
    return typer.Option(*flags.split(), metavar=metavar, show_default=False)


def _choice(flag: str, choices: tuple[str, ...]) -> Any:
    """An option that completes to its choices."""
    shown = "|".join(choices)
    return typer.Option(flag, metavar=shown, show_default=False, autocompletion=lambda: list(choices))


DATA_IS = "DATA is files, folders (one file a series), quoted globs, or - for stdin."

_CELL = typer.Option(
    "--cell",
    metavar="NAME",
    show_default=False,
    autocompletion=lambda: [*CELLS, *(f"dilated:{name}" for name in CELLS)],
)

Data = Annotated[list[str], typer.Argument(metavar="DATA", hidden=True)]
ModelFile = Annotated[str, typer.Argument(metavar="MODEL", hidden=True)]
Explained = Annotated[str | None, typer.Argument(metavar="NAME", hidden=True)]
NewModel = Annotated[str, _option("--output -o", "MODEL"), values.text]
Model = Annotated[str, _option("--model -m", "MODEL"), values.text]
ModelIfAny = Annotated[str | None, _option("--model -m", "MODEL"), values.text]
Forecasts = Annotated[str | None, _option("--forecasts", "FILE"), values.text]
TableFile = Annotated[str | None, _option("--output -o", "OUT"), values.text]

FutureData = Annotated[
    list[str] | None,
    _option("--future-data", "FILE"),
]
State = Annotated[
    str | None,
    _option("--state", "FILE"),
    values.text,
]
Fix = Annotated[str | None, _option("--fix", "OUT"), values.text]

Horizon = Annotated[int | None, _option("--horizon", "N"), values.count]
Quantiles = Annotated[tuple[float, ...] | None, _option("--quantiles", "LIST"), values.levels]
Point = Annotated[str | None, _choice("--point", POINTS), values.one_of(POINTS)]
Tidy = Annotated[bool, _option("--tidy")]
CsvRaw = Annotated[bool, _option("--csv-raw")]
Windows = Annotated[int | None, _option("--windows", "K"), values.count]
Stride = Annotated[int | None, _option("--stride", "N"), values.count]
Refit = Annotated[bool, _option("--refit/--no-refit")]
IfExists = Annotated[str | None, _choice("--if-exists", EXISTING), values.one_of(EXISTING)]
LockWait = Annotated[float | None, _option("--lock-wait", "TIME"), values.wait]
MaxAge = Annotated[float | None, _option("--max-age", "TIME"), values.duration]
Now = Annotated[str | None, _option("--now", "TIME"), values.text]
FailOnDrift = Annotated[bool, _option("--fail-on-drift")]
FailIf = Annotated[list[str] | None, _option("--fail-if", "CONDITION")]
MustBeat = Annotated[
    list[str] | None,
    _option("--must-beat", "BASELINE"),
]
Alpha = Annotated[float | None, _option("--alpha", "LEVEL"), values.level]
Quick = Annotated[bool, _option("--quick")]
Try = Annotated[bool, _option("--try")]
TrySteps = Annotated[
    int | None,
    _option("--try-steps", "N"),
    values.count,
]
FailOn = Annotated[
    tuple[str, ...] | None,
    _option("--fail-on", "LIST"),
    values.names,
]
Plot = Annotated[str | None, _option("--plot", "FILE"), values.text]
InspectSeries = Annotated[int | None, _option("--series", "N"), values.count]
By = Annotated[str | None, _choice("--by", GROUPS), values.one_of(GROUPS)]
Threads = Annotated[int | None, _option("--threads", "N"), values.count]
Device = Annotated[str | None, _option("--device", "NAME"), values.text]


Inputs = Annotated[int | None, _option("--inputs", "N"), values.count]
Hidden = Annotated[int | None, _option("--hidden", "N"), values.count]


class Columns(TypedDict, total=False):
    """How the data are read."""

    time: Annotated[str | None, _option("--time", "NAME"), values.text]
    id: Annotated[list[str] | None, _option("--id", "NAME")]
    target: Annotated[str | None, _option("--target", "NAME"), values.text]
    past: Annotated[tuple[str, ...], _option("--past", "LIST"), values.names]
    future: Annotated[tuple[str, ...], _option("--future", "LIST"), values.names]
    static: Annotated[tuple[str, ...], _option("--static", "LIST"), values.names]
    time_format: Annotated[str | None, _option("--time-format", "FORMAT"), values.text]
    decimal: Annotated[str | None, _choice("--decimal", (".", ",")), values.one_of(".,")]
    thousands: Annotated[str | None, _option("--thousands", "MARK"), values.text]
    separator: Annotated[str | None, _option("--separator", "MARK"), values.text]
    encoding: Annotated[str | None, _option("--encoding", "NAME"), values.text]
    zone: Annotated[str | None, _option("--zone", "NAME"), values.text]
    wide: Annotated[bool, _option("--wide")]
    strict: Annotated[bool, _option("--strict")]
    format: Annotated[
        str | None,
        _choice("--format", tuple(READERS)),
        values.one_of(READERS),
    ]
    as_of: Annotated[str | None, _option("--as-of", "TIME"), values.text]
    on_bad_series: Annotated[
        str | None,
        _choice("--on-bad-series", ON_BAD_SERIES),
        values.one_of(ON_BAD_SERIES),
    ]
    max_rows: Annotated[int | None, _option("--max-rows", "N"), values.count]
    max_bytes: Annotated[int | None, _option("--max-bytes", "SIZE"), values.size]
    max_columns: Annotated[int | None, _option("--max-columns", "N"), values.count]


class Architecture(TypedDict, total=False):
    """The network and what it looks at."""

    horizon: Horizon
    season: Annotated[tuple[int, ...] | None, _option("--season", "LIST"), values.counts]
    context: Annotated[int | None, _option("--context", "N"), values.count]
    cell: Annotated[str | None, _CELL, values.cells]
    activation: Annotated[
        str | None,
        _choice("--activation", ACTIVATIONS),
        values.one_of(ACTIVATIONS),
    ]
    layers: Annotated[int | None, _option("--layers", "N"), values.count]
    hidden: Annotated[int | None, _option("--hidden", "N"), values.count]
    init: Annotated[
        str | None,
        _option("--init", "NAME"),
        values.text,
    ]
    plain_stack: Annotated[bool, _option("--plain-stack")]
    layer_norm: Annotated[bool, _option("--layer-norm")]
    seed: Annotated[int | None, _option("--seed", "N"), values.whole]


class Steps(TypedDict, total=False):
    """What decides on a training step."""

    dropout: Annotated[float | None, _option("--dropout", "SHARE"), values.share]
    batch: Annotated[int | None, _option("--batch", "N"), values.count]
    learning_rate: Annotated[float | None, _option("--learning-rate", "X"), values.positive]
    clip: Annotated[float | None, _option("--clip", "X"), values.positive]


class Training(Steps, total=False):
    """How the network is trained."""

    members: Annotated[int | None, _option("--members", "N"), values.count]
    quantiles: Quantiles
    min: Annotated[float | None, _option("--min", "X"), values.number]
    max: Annotated[float | None, _option("--max", "X"), values.number]
    holidays: Annotated[tuple[str, ...], _option("--holidays", "LIST"), values.names]
    keep_covariates: Annotated[bool, _option("--keep-covariates")]
    steps: Annotated[int | None, _option("--steps", "N"), values.count]
    time_budget: Annotated[float | None, _option("--time-budget", "TIME"), values.duration]
    clip_value: Annotated[float | None, _option("--clip-value", "X"), values.positive]
    tbptt: Annotated[int | None, _option("--tbptt", "K"), values.count]
    device: Device
    threads: Threads
    watch_gradients: Annotated[
        int | None,
        _option("--watch-gradients", "N"),
        values.count,
    ]
    fresh: Annotated[bool, _option("--fresh")]
    warm_start: Annotated[str | None, _option("--warm-start", "MODEL"), values.text]
    checkpoint_every: Annotated[float | None, _option("--checkpoint-every", "TIME"), values.wait]
    lock_wait: LockWait


class Stream(TypedDict):
    """What is told, and where."""

    json: Annotated[bool, _option("--json")]
    quiet: Annotated[bool, _option("--quiet -q")]
    verbose: Annotated[bool, _option("--verbose -v")]
    debug: Annotated[bool, _option("--debug")]
    log_file: Annotated[str | None, _option("--log-file", "FILE"), values.text]
    log_format: Annotated[str | None, _choice("--log-format", LOG_FORMATS), values.one_of(LOG_FORMATS)]
    timeout: Annotated[float | None, _option("--timeout", "TIME"), values.duration]


class Sources(TypedDict):
    """Where settings come from besides the command line."""

    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            show_default=False,
            is_eager=True,
            callback=config.begin,
        ),
    ]
    print_config: Annotated[bool, _option("--print-config")]


class InspectOptions(Columns, Architecture, Steps, total=False):
    """What inspect-gradients passes on."""


NETWORK = (*Architecture.__annotations__, *Steps.__annotations__)  # what a model file gives, if there is one


class TrainOptions(Columns, Architecture, Training, total=False):
    """What train passes on."""
