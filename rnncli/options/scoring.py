"""Options of what a model is scored by, and of what its gradients are looked at for."""

from __future__ import annotations

from rnncli.options.commands import COMPARE, DIFF, EVALUATE, INSPECT, PLOT, REPORT, TRAIN
from rnncli.options.data import FORECAST, FRAMES, LABELS, SETS, TOKENS
from rnncli.options.option import (
    COUNT,
    GRADIENTS,
    LEVEL,
    NAMES,
    OUTPUT,
    REPEATED,
    SCORING,
    SWITCH,
    TEXT,
    TRAINING,
    Meaning,
    Option,
)

_GATE = "a gate that fails ends with exit code 7"
_TRIAL = "60, or 240 where it is about memory"

OPTIONS = (
    Option(
        "forecasts",
        TEXT,
        "Saved forecasts to score instead of a model.",
        SCORING,
        commands=(EVALUATE, COMPARE),
        metavar="FILE",
        tasks=FORECAST,
        differently={COMPARE: Meaning(says="Saved forecasts to compare; may be repeated.", kind=REPEATED)},
        in_python=Meaning(says="Saved forecasts to score instead of a model: a path, or what `predict` returned."),
    ),
    Option(
        "windows",
        COUNT,
        "How many origins of the past to forecast from.",
        SCORING,
        default="1",
        commands=(EVALUATE, COMPARE, REPORT),
        metavar="K",
        tasks=(*FORECAST, *FRAMES),
    ),
    Option(
        "stride",
        COUNT,
        "Rows between two origins.",
        SCORING,
        follows="the horizon",
        commands=(EVALUATE, COMPARE, REPORT),
        tasks=(*FORECAST, *FRAMES),
    ),
    Option(
        "refit",
        SWITCH,
        "Train again where training saw what is scored.",
        SCORING,
        default="yes",
        commands=(EVALUATE, COMPARE, REPORT),
        on=True,
        tasks=FORECAST,
        in_python=Meaning(default="True"),
    ),
    Option(
        "trained_on",
        REPEATED,
        "What the model was trained on, for baselines to learn from; may be repeated.",
        SCORING,
        commands=(EVALUATE,),
        metavar="FILE",
        tasks=(*LABELS, *TOKENS, *SETS),
        in_python=Meaning(says="Tables that the model was trained on, for baselines to learn from."),
    ),
    Option(
        "fail_if",
        REPEATED,
        f"A condition that must not hold, such as 'mase>1', may be repeated: {_GATE}.",
        SCORING,
        commands=(EVALUATE, DIFF),
        metavar="CONDITION",
        differently={DIFF: Meaning(says=f"A condition such as 'change>0.2' or 'gone>0', may be repeated: {_GATE}.")},
        in_python=Meaning(says="Conditions that must not hold, such as 'mase>1': see `Evaluation.refuse`."),
    ),
    Option(
        "must_beat",
        REPEATED,
        f"A baseline that the model must beat, may be repeated: {_GATE}.",
        SCORING,
        commands=(EVALUATE,),
        metavar="BASELINE",
        in_python=Meaning(says="Baselines that the model must beat: see `Evaluation.refuse`."),
    ),
    Option(
        "alpha",
        LEVEL,
        "The level of significance of --must-beat.",
        SCORING,
        default="0.05",
        commands=(EVALUATE, COMPARE),
        differently={COMPARE: Meaning(says="The level of significance.")},
    ),
    Option("quick", SWITCH, "Look at less, for an answer within seconds.", GRADIENTS, commands=(INSPECT,)),
    Option(
        "try_",
        SWITCH,
        "Try each remedy by a short training from the same seed.",
        GRADIENTS,
        commands=(INSPECT,),
        keyword="attempt",
    ),
    Option(
        "try_steps",
        COUNT,
        "Steps of such a training; implies --try.",
        GRADIENTS,
        follows=_TRIAL,
        commands=(INSPECT,),
        keyword="attempt_steps",
        in_python=Meaning(says="Steps of such a training."),
    ),
    Option(
        "series",
        COUNT,
        "Follow gradients in so many series.",
        GRADIENTS,
        default="24",
        commands=(INSPECT, PLOT, REPORT, DIFF),
        differently={
            DIFF: Meaning("Show so many series that moved most.", default="10", heading=OUTPUT),
            PLOT: Meaning(says="Draw so many series.", follows="6, or 3 in a terminal", heading=OUTPUT),
            REPORT: Meaning(says="Draw so many of the worst series.", default="6", heading=OUTPUT),
        },
    ),
    Option(
        "fail_on",
        NAMES,
        "Exit with 7 where one of these is found: vanishing,exploding,chaotic, or any finding.",
        GRADIENTS,
        commands=(INSPECT, TRAIN),
        differently={
            TRAIN: Meaning(
                says="Stop with 7 where a watched training goes so: exploding,collapse,plateau.", heading=TRAINING
            )
        },
        in_python=Meaning(says="Verdicts and findings that must not be: see `Inspection.check`."),
    ),
)
