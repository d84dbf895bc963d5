"""Options of what is written, of unattended runs, and of where settings come from."""

from __future__ import annotations

from rnncli.options.commands import CHECK, EVALUATE, EVERY, INSPECT, PLOT, PREDICT, REPORT, TRAIN
from rnncli.options.data import FORECAST
from rnncli.options.option import (
    CHOICE,
    DURATION,
    OUTPUT,
    SCORING,
    SETTINGS,
    SWITCH,
    TEXT,
    UNATTENDED,
    WAIT,
    Meaning,
    Option,
)

POINTS = ("median", "mean")
LOG_FORMATS = ("text", "json")
GROUPS = ("series", "class", "group", "document", "position", "lead")
EXISTING = ("replace", "skip", "error")

OPTIONS = (
    Option(
        "output",
        TEXT,
        "The file to write; its suffix says how.",
        OUTPUT,
        commands=(TRAIN, PREDICT, EVALUATE, PLOT, REPORT),
        functions=(TRAIN, PREDICT, PLOT, REPORT),
        required=(TRAIN, REPORT),
        metavar="OUT",
        short="-o",
        differently={
            TRAIN: Meaning(says="The model file to write.", metavar="MODEL"),
            PLOT: Meaning(says="The picture to write (.png, .svg, .html).", follows="drawn in the terminal"),
            REPORT: Meaning(says="The page to write (.html)."),
        },
    ),
    Option(
        "point",
        CHOICE,
        "What the column `forecast` holds.",
        OUTPUT,
        default="median",
        commands=(PREDICT,),
        choices=POINTS,
        tasks=FORECAST,
    ),
    Option(
        "tidy",
        SWITCH,
        "Write the columns id, time, quantile, value.",
        OUTPUT,
        commands=(PREDICT,),
        tasks=FORECAST,
    ),
    Option(
        "csv_raw",
        SWITCH,
        "Do not escape text that a spreadsheet would run.",
        OUTPUT,
        commands=(PREDICT, CHECK),
    ),
    Option(
        "by",
        CHOICE,
        "Also show the scores of each series, or lead; of labels: class or group; of tokens: document or position.",
        OUTPUT,
        commands=(EVALUATE,),
        functions=(),
        choices=GROUPS,
    ),
    Option(
        "fix",
        TEXT,
        "Write a repaired copy to this file (.csv, .parquet).",
        OUTPUT,
        commands=(CHECK,),
        metavar="OUT",
        tasks=FORECAST,
    ),
    Option(
        "plot",
        TEXT,
        "Draw a picture (.png, .svg).",
        OUTPUT,
        commands=(PREDICT, EVALUATE, INSPECT),
        metavar="FILE",
        differently={
            PREDICT: Meaning(
                says="Draw the largest series and their forecasts (.png, .svg, .html); frames: .png, .gif."
            ),
            EVALUATE: Meaning(
                says="Draw scores by lead, coverage against level and errors by series (.png, .svg, .html);"
                " frames (.png, .gif)."
            ),
        },
    ),
    Option("json", SWITCH, "Print one JSON document on stdout.", OUTPUT, commands=EVERY, functions=()),
    Option("quiet", SWITCH, "Print nothing on success.", OUTPUT, commands=EVERY, functions=(), short="-q"),
    Option("verbose", SWITCH, "Say more on stderr.", OUTPUT, commands=EVERY, functions=(), short="-v"),
    Option("debug", SWITCH, "Show the traceback of an error.", OUTPUT, commands=EVERY, functions=()),
    Option(
        "state",
        TEXT,
        "Keep what the network has seen in this file; consume only new rows.",
        UNATTENDED,
        commands=(PREDICT,),
        metavar="FILE",
    ),
    Option(
        "max_age",
        DURATION,
        "Refuse series that end longer ago than 26h, 3d, ...: exit code 6.",
        UNATTENDED,
        commands=(PREDICT,),
        in_python=Meaning(says="Refuse series that end more seconds ago than this."),
        tasks=FORECAST,
    ),
    Option(
        "now",
        TEXT,
        "The time that --max-age counts from.",
        UNATTENDED,
        follows="--as-of, or the clock",
        commands=(PREDICT,),
        metavar="TIME",
        tasks=FORECAST,
    ),
    Option(
        "fail_on_drift",
        SWITCH,
        "Exit with 7 where the data have drifted since training.",
        UNATTENDED,
        commands=(PREDICT, EVALUATE),
        differently={EVALUATE: Meaning(heading=SCORING)},
        in_python=Meaning(
            says="Raise GateFailed where the data have drifted since training; a report's refuse() does."
        ),
        tasks=FORECAST,
    ),
    Option(
        "if_exists",
        CHOICE,
        "What to do where the output is there already.",
        UNATTENDED,
        default="replace",
        commands=(PREDICT, EVALUATE, PLOT, REPORT, CHECK),
        functions=(PREDICT, PLOT, REPORT, CHECK),
        choices=EXISTING,
    ),
    Option(
        "lock_wait",
        WAIT,
        "Wait so long for another writer of the file.",
        UNATTENDED,
        default="0",
        commands=(TRAIN, PREDICT, EVALUATE, PLOT, REPORT, CHECK),
        functions=(TRAIN, PREDICT, PLOT, REPORT, CHECK),
        in_python=Meaning(says="Seconds to wait for another writer of the same file."),
    ),
    Option("fresh", SWITCH, "Start over, whatever is there.", UNATTENDED, commands=(TRAIN,)),
    Option(
        "checkpoint_every",
        WAIT,
        "How often MODEL.partial is kept.",
        UNATTENDED,
        default="10s",
        commands=(TRAIN,),
        in_python=Meaning(says="Seconds between two times that `output` + .partial is kept.", default="10"),
    ),
    Option(
        "timeout",
        DURATION,
        "Stop after so long, with exit code 124.",
        UNATTENDED,
        follows="no limit",
        commands=EVERY,
        functions=(),
    ),
    Option(
        "log_file",
        TEXT,
        "Append every event to this file as a JSON line.",
        UNATTENDED,
        commands=EVERY,
        functions=(),
        metavar="FILE",
    ),
    Option(
        "log_format",
        CHOICE,
        "How stderr is written.",
        UNATTENDED,
        default="text",
        commands=EVERY,
        functions=(),
        choices=LOG_FORMATS,
    ),
    Option(
        "config",
        TEXT,
        "Read settings from this TOML file.",
        SETTINGS,
        commands=EVERY,
        functions=(),
        metavar="FILE",
    ),
    Option(
        "print_config",
        SWITCH,
        "Print the settings as such a file, and do nothing.",
        SETTINGS,
        commands=EVERY,
        functions=(),
    ),
)
