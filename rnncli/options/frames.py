"""Options of frames: where they are, and how their pixels are stored."""

from __future__ import annotations

from rnncli.options.commands import CHECK, INSPECT, TRAIN
from rnncli.options.data import FRAMES, LABELS
from rnncli.options.option import CHOICE, DATA, NUMBER, TEXT, TRAINING, Option

FRAME_TYPES = (
    "uint8",
    *(f"{name}{order}" for name in ("uint16", "int16", "float16", "float32") for order in ("", "-le", "-be")),
)
LOSSES = ("squared", "absolute", "bernoulli", "quantiles")
CLIPS = (*FRAMES, *LABELS)  # of which the next frames, or a label, are learnt
READING = (TRAIN, INSPECT, CHECK)  # commands that read frames of which nothing is known

OPTIONS = (
    Option(
        "frame",
        TEXT,
        "Frames to learn the next ones of, or a --label: their column, columns of pixels ('p*'), or a file's variable.",
        DATA,
        commands=READING,
        metavar="COLUMN",
        tasks=CLIPS,
        of_model=True,
        at="frame_choices.frame",
    ),
    Option(
        "grid",
        TEXT,
        "Rows and columns of a frame, and its channels if there are several: 48x48, 64x64x3.",
        DATA,
        follows="as files have it",
        commands=READING,
        metavar="HxW",
        tasks=CLIPS,
        of_model=True,
        at="frame_choices.grid",
    ),
    Option(
        "frame_dtype",
        CHOICE,
        "What pixels are stored as; of two bytes or more the lowest first, unless it ends in -be.",
        DATA,
        follows="as files have it",
        commands=READING,
        metavar="TYPE",
        choices=FRAME_TYPES,
        tasks=CLIPS,
        of_model=True,
        at="frame_choices.frame_dtype",
    ),
    Option(
        "frame_scale",
        NUMBER,
        "What a stored pixel is to be multiplied by.",
        DATA,
        default="1",
        commands=READING,
        tasks=CLIPS,
        of_model=True,
        at="frame_choices.frame_scale",
    ),
    Option(
        "frame_missing",
        TEXT,
        "The stored value that stands for a missing pixel, or nan.",
        DATA,
        commands=READING,
        metavar="VALUE",
        tasks=CLIPS,
        of_model=True,
        at="frame_choices.frame_missing",
    ),
    Option(
        "loss",
        CHOICE,
        "What is learnt of a pixel: its mean, its median, the mean of a share from dark to light, or its quantiles.",
        TRAINING,
        follows="bernoulli where nearly all pixels are dark or light, else squared",
        commands=(TRAIN, INSPECT),
        choices=LOSSES,
        tasks=FRAMES,
        of_model=True,
        at="frames.loss",
    ),
)
