"""Options of labels: what is labelled, what is read for it, and how it is learnt."""

from __future__ import annotations

from rnncli.options.commands import CHECK, EVALUATE, INSPECT, TRAIN
from rnncli.options.data import LABELS, TOKENS
from rnncli.options.option import CHOICE, DATA, NAMES, NETWORK, SHARE, SWITCH, TEXT, TRAINING, Meaning, Option

LEARNING = (TRAIN, INSPECT)  # commands that can make a network
READING = (*LEARNING, CHECK)  # that read labelled data of which nothing is known
LABEL_KINDS = ("class", "number")
POOLINGS = ("last", "mean", "max", "attention")
CLASS_WEIGHTS = ("none", "balanced")

OPTIONS = (
    Option(
        "label",
        TEXT,
        "The column of labels: sequences are labelled, not forecast.",
        DATA,
        commands=READING,
        metavar="COLUMN",
        tasks=LABELS,
        of_model=True,
        at="choices.label",
    ),
    Option(
        "per_step",
        SWITCH,
        "Every step has a label of its own, and not every sequence.",
        DATA,
        commands=READING,
        tasks=LABELS,
        of_model=True,
        at="labels.per_step",
    ),
    Option(
        "label_kind",
        CHOICE,
        "Whether a label is one of some classes or a number.",
        DATA,
        follows="from the labels",
        commands=READING,
        choices=LABEL_KINDS,
        tasks=LABELS,
        of_model=True,
        at="choices.label_kind",
    ),
    Option(
        "channels",
        NAMES,
        "The columns that a label is read from: x,y,z; or those beside events.",
        DATA,
        follows="all others, beside events where --time is given",
        commands=READING,
        tasks=(*LABELS, *TOKENS),
        of_model=True,
        at="choices.channels",
    ),
    Option(
        "row_per_sequence",
        SWITCH,
        "Each row of the table is a sequence, each column a step of it.",
        DATA,
        commands=READING,
        tasks=LABELS,
        of_model=True,
        at="choices.row_per_sequence",
    ),
    Option(
        "group",
        TEXT,
        "A column of groups: sequences of one are held out together.",
        DATA,
        commands=(*READING, EVALUATE),
        metavar="COLUMN",
        differently={EVALUATE: Meaning(says="A column of groups to score labels in, for --by group.")},
        tasks=LABELS,
        at="choices.group",
    ),
    Option(
        "online",
        SWITCH,
        "Label a step by what came before it alone; needs --per-step.",
        NETWORK,
        commands=LEARNING,
        tasks=LABELS,
        of_model=True,
        at="labels.online",
    ),
    Option(
        "pooling",
        CHOICE,
        "How what was seen at every step becomes one label.",
        NETWORK,
        follows="chosen on held-out sequences",
        commands=LEARNING,
        choices=POOLINGS,
        tasks=LABELS,
        of_model=True,
        at="labels.pooling",
    ),
    Option(
        "class_weights",
        CHOICE,
        "How much classes count in the loss: as they come, or all the same.",
        TRAINING,
        default="none",
        commands=LEARNING,
        choices=CLASS_WEIGHTS,
        tasks=LABELS,
        at="labels.class_weights",
    ),
    Option(
        "label_smoothing",
        SHARE,
        "Share of a label that is spread over all classes.",
        TRAINING,
        default="0.05",
        commands=LEARNING,
        tasks=LABELS,
        at="labels.smoothing",
    ),
)
