"""Options of what a model of documents says: how they go on, and how likely they were."""

from __future__ import annotations

from rnncli.options.commands import PREDICT
from rnncli.options.data import SETS, TOKENS
from rnncli.options.option import CHOICE, COUNT, OUTPUT, POSITIVE, Option

SCORES = ("token", "step", "document")
TOP_P = "for example --top-p 0.9; leave it out to draw from all tokens"

OPTIONS = (
    Option(
        "generate",
        COUNT,
        "Go on with so many tokens, as text on stdout, or sets, as a table.",
        OUTPUT,
        commands=(PREDICT,),
        tasks=(*TOKENS, *SETS),
    ),
    Option(
        "temperature",
        POSITIVE,
        "Below 1 the likely is drawn more often, above 1 less.",
        OUTPUT,
        default="1",
        instead="--top-k 1 takes the likeliest token every time",
        commands=(PREDICT,),
        tasks=(*TOKENS, *SETS),
    ),
    Option(
        "top_k",
        COUNT,
        "Draw one of the K likeliest tokens.",
        OUTPUT,
        follows="from all of them",
        instead="--top-k 1 takes the likeliest token; leave it out to draw from all of them",
        commands=(PREDICT,),
        metavar="K",
        tasks=TOKENS,
    ),
    Option(
        "top_p",
        POSITIVE,
        "Draw one of the likeliest tokens that make up this probability.",
        OUTPUT,
        follows="from all of them",
        instead=TOP_P,
        commands=(PREDICT,),
        metavar="P",
        tasks=TOKENS,
    ),
    Option(
        "top",
        COUNT,
        "Write so many of the likeliest next tokens of each document.",
        OUTPUT,
        follows="5, of sets those above one half",
        commands=(PREDICT,),
        tasks=(*TOKENS, *SETS),
    ),
    Option(
        "score",
        CHOICE,
        "Write how likely each token was, each step's set, or each document.",
        OUTPUT,
        commands=(PREDICT,),
        choices=SCORES,
        tasks=(*TOKENS, *SETS),
    ),
)
