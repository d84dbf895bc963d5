"""Every option, once: its type, its flag, its help, and how its text becomes a value.

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


def _option(flags: str, says: str, metavar: str | None = None) -> Any:
    return typer.Option(*flags.split(), help=says, metavar=metavar, show_default=False)


def _choice(flag: str, says: str, choices: tuple[str, ...]) -> Any:
    """An option that completes to its choices."""
    shown = "|".join(choices)
    return typer.Option(flag, help=says, metavar=shown, show_default=False, autocompletion=lambda: list(choices))


DATA_IS = "DATA is files, folders (one file a series), quoted globs, or - for stdin."

_CELL = typer.Option(
    "--cell",
    help="The recurrent cell (lstm), or a list with one a layer: lstm,dilated:gru. `rnncli cells` lists them.",
    metavar="NAME",
    show_default=False,
    autocompletion=lambda: [*CELLS, *(f"dilated:{name}" for name in CELLS)],
)

Data = Annotated[list[str], typer.Argument(metavar="DATA", hidden=True)]
ModelFile = Annotated[str, typer.Argument(metavar="MODEL", hidden=True)]
NewModel = Annotated[str, _option("--output -o", "The model file to write.", "MODEL"), values.text]
Model = Annotated[str, _option("--model -m", "The model file.", "MODEL"), values.text]
ModelIfAny = Annotated[str | None, _option("--model -m", "The model file.", "MODEL"), values.text]
Forecasts = Annotated[
    str | None, _option("--forecasts", "Saved forecasts to score instead of a model.", "F"), values.text
]
TableFile = Annotated[
    str | None, _option("--output -o", "Write to this file; its suffix says how.", "OUT"), values.text
]

FutureData = Annotated[
    list[str] | None,
    _option("--future-data", "A table of what is known of the rows to forecast; may be repeated.", "FILE"),
]
State = Annotated[
    str | None,
    _option("--state", "Keep what the network has seen in this file; consume only new rows.", "FILE"),
    values.text,
]
Fix = Annotated[str | None, _option("--fix", "Write a repaired copy to this file.", "OUT"), values.text]

Horizon = Annotated[int | None, _option("--horizon", "Rows to forecast.", "N"), values.count]
Quantiles = Annotated[
    tuple[float, ...] | None, _option("--quantiles", "Quantile levels, such as 0.1,0.5,0.9.", "LIST"), values.levels
]
Point = Annotated[str | None, _choice("--point", "What `forecast` is.", POINTS), values.one_of(POINTS)]
Tidy = Annotated[bool, _option("--tidy", "Columns id, time, quantile, value.")]
CsvRaw = Annotated[bool, _option("--csv-raw", "Do not escape text that a spreadsheet would run.")]
Windows = Annotated[int | None, _option("--windows", "Origins to forecast from (1).", "K"), values.count]
Stride = Annotated[int | None, _option("--stride", "Rows between origins (the horizon).", "N"), values.count]
Refit = Annotated[
    bool, _option("--refit/--no-refit", "Train again on what lies before the first origin, if need be (yes).")
]
IfExists = Annotated[
    str | None, _choice("--if-exists", "What to do where OUT exists (replace).", EXISTING), values.one_of(EXISTING)
]
LockWait = Annotated[
    float | None, _option("--lock-wait", "Wait so long for another run that writes the file (0).", "TIME"), values.wait
]
MaxAge = Annotated[
    float | None, _option("--max-age", "Refuse series that end longer ago: 26h, 3d.", "TIME"), values.duration
]
Now = Annotated[str | None, _option("--now", "The time that --max-age counts from (the clock).", "TIME"), values.text]
FailOnDrift = Annotated[bool, _option("--fail-on-drift", "Exit 7 where the data have drifted since training.")]
FailIf = Annotated[
    list[str] | None, _option("--fail-if", "Exit 7 if a score is so, such as 'mase>1'; may be repeated.", "CONDITION")
]
MustBeat = Annotated[
    list[str] | None,
    _option("--must-beat", "Exit 7 if the model is not better than this baseline; may be repeated.", "BASELINE"),
]
Alpha = Annotated[
    float | None, _option("--alpha", "The level of significance of --must-beat (0.05).", "LEVEL"), values.level
]
Quick = Annotated[bool, _option("--quick", "Look at less, for an answer within seconds.")]
Try = Annotated[bool, _option("--try", "Try each remedy by a short training from the same seed.")]
TrySteps = Annotated[
    int | None,
    _option("--try-steps", "Steps of such a training (60, or 240 where it is about memory); implies --try.", "N"),
    values.count,
]
FailOn = Annotated[
    tuple[str, ...] | None,
    _option("--fail-on", "Exit 7 where these are found: vanishing,exploding,chaotic, or any finding.", "LIST"),
    values.names,
]
Plot = Annotated[str | None, _option("--plot", "Draw a picture: .png or .svg.", "FILE"), values.text]
InspectSeries = Annotated[
    int | None, _option("--series", "Follow gradients in so many series (24).", "N"), values.count
]
By = Annotated[str | None, _choice("--by", "Also show the scores of each series.", GROUPS), values.one_of(GROUPS)]
Threads = Annotated[int | None, _option("--threads", "Threads to train with.", "N"), values.count]
Device = Annotated[str | None, _option("--device", "Where to train: cpu (default), cuda ...", "NAME"), values.text]


Inputs = Annotated[int | None, _option("--inputs", "Inputs of a step (32).", "N"), values.count]
Hidden = Annotated[int | None, _option("--hidden", "Units in a layer (64).", "N"), values.count]


class Columns(TypedDict, total=False):
    """How the data are read."""

    time: Annotated[
        str | None, _option("--time", "The time column, or those of date and time of day: A,B.", "NAME"), values.text
    ]
    id: Annotated[list[str] | None, _option("--id", "The column that tells series apart, or several: A,B.", "NAME")]
    target: Annotated[str | None, _option("--target", "The column to forecast.", "NAME"), values.text]
    past: Annotated[tuple[str, ...], _option("--past", "Covariates known up to now: A,B.", "LIST"), values.names]
    future: Annotated[tuple[str, ...], _option("--future", "Covariates known ahead: A,B.", "LIST"), values.names]
    static: Annotated[
        tuple[str, ...], _option("--static", "What never changes in a series: A,B.", "LIST"), values.names
    ]
    time_format: Annotated[
        str | None,
        _option("--time-format", "How times are written, as in strptime, or epoch-s, -ms, -us, -ns.", "FORMAT"),
        values.text,
    ]
    decimal: Annotated[str | None, _choice("--decimal", "The decimal mark of CSV.", (".", ",")), values.one_of(".,")]
    thousands: Annotated[
        str | None, _option("--thousands", "The mark between thousands in CSV: , . ' _ or space.", "MARK"), values.text
    ]
    separator: Annotated[
        str | None, _option("--separator", "The mark between fields of CSV: , ; | or tab.", "MARK"), values.text
    ]
    encoding: Annotated[
        str | None, _option("--encoding", "What text CSV is, if not UTF-8: cp1252, utf-16.", "NAME"), values.text
    ]
    zone: Annotated[str | None, _option("--zone", "The time zone, such as Europe/Berlin.", "NAME"), values.text]
    wide: Annotated[bool, _option("--wide", "One column per series.")]
    strict: Annotated[bool, _option("--strict", "Guess no column.")]
    format: Annotated[
        str | None,
        _choice("--format", "What the data are, where no suffix says so.", tuple(READERS)),
        values.one_of(READERS),
    ]
    as_of: Annotated[str | None, _option("--as-of", "See no row that is later than this.", "TIME"), values.text]
    on_bad_series: Annotated[
        str | None,
        _choice("--on-bad-series", "What to do with series that cannot be used (fail).", ON_BAD_SERIES),
        values.one_of(ON_BAD_SERIES),
    ]
    max_rows: Annotated[int | None, _option("--max-rows", "Read no data of more rows.", "N"), values.count]
    max_bytes: Annotated[
        int | None, _option("--max-bytes", "Read no data of more bytes, uncompressed: 500M, 2G.", "SIZE"), values.size
    ]
    max_columns: Annotated[
        int | None, _option("--max-columns", "Read no table of more columns (10000).", "N"), values.count
    ]


class Architecture(TypedDict, total=False):
    """The network and what it looks at."""

    horizon: Horizon
    season: Annotated[
        tuple[int, ...] | None, _option("--season", "Steps in a season, or several: 24,168.", "LIST"), values.counts
    ]
    context: Annotated[int | None, _option("--context", "Rows that the network looks back on.", "N"), values.count]
    cell: Annotated[str | None, _CELL, values.cells]
    activation: Annotated[
        str | None,
        _choice("--activation", "Of the cells rnn, jordan and fir (tanh).", ACTIVATIONS),
        values.one_of(ACTIVATIONS),
    ]
    layers: Annotated[int | None, _option("--layers", "Recurrent layers.", "N"), values.count]
    hidden: Annotated[int | None, _option("--hidden", "Units in a layer.", "N"), values.count]
    init: Annotated[
        str | None,
        _option("--init", "How weights begin: orthogonal, chrono:STEPS, identity, uniform.", "NAME"),
        values.text,
    ]
    plain_stack: Annotated[bool, _option("--plain-stack", "Do not add a layer's input to its output.")]
    layer_norm: Annotated[bool, _option("--layer-norm", "Normalise the output of each layer.")]
    seed: Annotated[int | None, _option("--seed", "Seed of every random choice (0).", "N"), values.whole]


class Steps(TypedDict, total=False):
    """What decides on a training step."""

    dropout: Annotated[float | None, _option("--dropout", "Share of units left out.", "SHARE"), values.share]
    batch: Annotated[int | None, _option("--batch", "Crops in a training step.", "N"), values.count]
    learning_rate: Annotated[float | None, _option("--learning-rate", "Its peak.", "X"), values.positive]
    clip: Annotated[float | None, _option("--clip", "The largest gradient norm.", "X"), values.positive]


class Training(Steps, total=False):
    """How the network is trained."""

    members: Annotated[int | None, _option("--members", "Networks whose forecasts are averaged.", "N"), values.count]
    quantiles: Quantiles
    min: Annotated[float | None, _option("--min", "No value, and no forecast, is below this.", "X"), values.number]
    max: Annotated[float | None, _option("--max", "No value, and no forecast, is above this.", "X"), values.number]
    holidays: Annotated[
        tuple[str, ...], _option("--holidays", "Public holidays are covariates: DE,US-CA.", "LIST"), values.names
    ]
    keep_covariates: Annotated[bool, _option("--keep-covariates", "Keep them even if held-out rows see no use.")]
    steps: Annotated[int | None, _option("--steps", "Training steps.", "N"), values.count]
    time_budget: Annotated[
        float | None, _option("--time-budget", "Stop training after 90s, 2m or 1h.", "TIME"), values.duration
    ]
    clip_value: Annotated[
        float | None, _option("--clip-value", "The largest number in a gradient (any).", "X"), values.positive
    ]
    tbptt: Annotated[
        int | None, _option("--tbptt", "Go through series K rows a step, carrying the state on.", "K"), values.count
    ]
    device: Device
    threads: Threads
    watch_gradients: Annotated[
        int | None,
        _option("--watch-gradients", "Tell of gradients every N steps, and of what explodes.", "N"),
        values.count,
    ]
    fresh: Annotated[bool, _option("--fresh", "Start over, whatever is there.")]
    warm_start: Annotated[
        str | None, _option("--warm-start", "Go on training this model, on new data.", "MODEL"), values.text
    ]
    checkpoint_every: Annotated[
        float | None, _option("--checkpoint-every", "How often MODEL.partial is kept (10s).", "TIME"), values.wait
    ]
    lock_wait: LockWait


class Stream(TypedDict):
    """What is told, and where."""

    json: Annotated[bool, _option("--json", "One JSON document on stdout.")]
    quiet: Annotated[bool, _option("--quiet -q", "Silent on success.")]
    verbose: Annotated[bool, _option("--verbose -v", "Say more.")]
    debug: Annotated[bool, _option("--debug", "Show the traceback of an error.")]
    log_file: Annotated[str | None, _option("--log-file", "Append every event as a JSON line.", "F"), values.text]
    log_format: Annotated[
        str | None, _choice("--log-format", "Of stderr (text).", LOG_FORMATS), values.one_of(LOG_FORMATS)
    ]
    timeout: Annotated[
        float | None, _option("--timeout", "Stop after so long, with exit code 124.", "TIME"), values.duration
    ]


class Sources(TypedDict):
    """Where settings come from besides the command line."""

    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            help="Read settings from this TOML file.",
            metavar="FILE",
            show_default=False,
            is_eager=True,
            callback=config.begin,
        ),
    ]
    print_config: Annotated[bool, _option("--print-config", "Print the settings as such a file, and do nothing.")]


class InspectOptions(Columns, Architecture, Steps, total=False):
    """What inspect-gradients passes on."""


NETWORK = (*Architecture.__annotations__, *Steps.__annotations__)  # what a model file gives, if there is one


class TrainOptions(Columns, Architecture, Training, total=False):
    """What train passes on."""
