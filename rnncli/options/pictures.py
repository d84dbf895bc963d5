"""Options of pictures: of which series, and with how much history."""

from __future__ import annotations

from rnncli.options.commands import PLOT, REPORT
from rnncli.options.data import FORECAST
from rnncli.options.option import CHOICE, COUNT, DATA, OUTPUT, REPEATED, SWITCH, TEXT, Meaning, Option

ORDERS = ("worst", "largest", "first")

OPTIONS = (
    Option(
        "forecast",
        TEXT,
        "A saved forecast to draw instead of making one.",
        DATA,
        commands=(PLOT,),
        metavar="FILE",
        tasks=FORECAST,
        in_python=Meaning(says="A saved forecast to draw: a path, or what `predict` returned."),
    ),
    Option(
        "ids",
        REPEATED,
        "The series to draw: A,B; may be repeated.",
        OUTPUT,
        follows="those that --order puts first",
        commands=(PLOT,),
        metavar="LIST",
        tasks=FORECAST,
    ),
    Option(
        "order",
        CHOICE,
        "Which series come first: those with the largest scaled errors, the largest values, or as in DATA.",
        OUTPUT,
        follows="worst where anything that was forecast has come, else largest",
        commands=(PLOT,),
        choices=ORDERS,
        tasks=FORECAST,
    ),
    Option(
        "history",
        COUNT,
        "Rows to draw before a forecast.",
        OUTPUT,
        follows="three horizons, or two seasons",
        commands=(PLOT,),
        tasks=FORECAST,
    ),
    Option(
        "unit",
        TEXT,
        "The unit of the target, for the axis.",
        OUTPUT,
        commands=(PLOT, REPORT),
        metavar="TEXT",
        tasks=FORECAST,
    ),
    Option(
        "gradients",
        SWITCH,
        "Look at the network's gradients too, which takes PyTorch and some seconds.",
        OUTPUT,
        default="yes",
        commands=(REPORT,),
        on=True,
        tasks=FORECAST,
        in_python=Meaning(default="True"),
    ),
)
