"""Options of labels: what is labelled, what is read for it, and how it is learnt."""

from __future__ import annotations

from rnncli.options.commands import TRAIN
from rnncli.options.option import CHOICE, DATA, NAMES, NETWORK, SHARE, SWITCH, TEXT, TRAINING, Option

LABELS = ("labels",)
LABEL_KINDS = ("class", "number")
POOLINGS = ("last", "mean", "max", "attention")
CLASS_WEIGHTS = ("none", "balanced")

OPTIONS = (
    Option(
        "label",
        TEXT,
        "The column of labels: sequences are labelled, not forecast.",
        DATA,
        commands=(TRAIN,),
        metavar="COLUMN",
        tasks=LABELS,
        of_model=True,
    ),
    Option(
        "per_step",
        SWITCH,
        "Every step has a label of its own, and not every sequence.",
        DATA,
        commands=(TRAIN,),
        tasks=LABELS,
        of_model=True,
    ),
    Option(
        "label_kind",
        CHOICE,
        "Whether a label is one of some classes or a number.",
        DATA,
        follows="from the labels",
        commands=(TRAIN,),
        choices=LABEL_KINDS,
        tasks=LABELS,
        of_model=True,
    ),
    Option(
        "channels",
        NAMES,
        "The columns that a label is read from: x,y,z.",
        DATA,
        follows="all others",
        commands=(TRAIN,),
        tasks=LABELS,
        of_model=True,
    ),
    Option(
        "row_per_sequence",
        SWITCH,
        "Each row of the table is a sequence, each column a step of it.",
        DATA,
        commands=(TRAIN,),
        tasks=LABELS,
        of_model=True,
    ),
    Option(
        "group",
        TEXT,
        "A column of groups: sequences of one are held out together.",
        DATA,
        commands=(TRAIN,),
        metavar="COLUMN",
        tasks=LABELS,
    ),
    Option(
        "online",
        SWITCH,
        "Label a step by what came before it alone; needs --per-step.",
        NETWORK,
        commands=(TRAIN,),
        tasks=LABELS,
        of_model=True,
    ),
    Option(
        "pooling",
        CHOICE,
        "How what was seen at every step becomes one label.",
        NETWORK,
        follows="chosen on held-out sequences",
        commands=(TRAIN,),
        choices=POOLINGS,
        tasks=LABELS,
        of_model=True,
    ),
    Option(
        "class_weights",
        CHOICE,
        "How much classes count in the loss: as they come, or all the same.",
        TRAINING,
        default="none",
        commands=(TRAIN,),
        choices=CLASS_WEIGHTS,
        tasks=LABELS,
    ),
    Option(
        "label_smoothing",
        SHARE,
        "Share of a label that is spread over all classes.",
        TRAINING,
        default="0.05",
        commands=(TRAIN,),
        tasks=LABELS,
    ),
)
