"""Options of tokens: what a token is, and which are known."""

from __future__ import annotations

from rnncli.options.commands import CHECK, INSPECT, TRAIN
from rnncli.options.data import SETS, TOKENS
from rnncli.options.option import CHOICE, COUNT, DATA, NETWORK, SWITCH, TEXT, WHOLE, Option

READING = (TRAIN, INSPECT, CHECK)  # commands that read tokens of which nothing is known
SPLITS = ("char", "word", "space", "byte")

OPTIONS = (
    Option(
        "split",
        CHOICE,
        "How texts become tokens: characters, words, at blanks, bytes.",
        DATA,
        default="char",
        commands=READING,
        choices=SPLITS,
        tasks=TOKENS,
        of_model=True,
        at="token_choices.split",
    ),
    Option(
        "text",
        TEXT,
        "The column of texts: what comes next in them is learnt.",
        DATA,
        commands=READING,
        metavar="COLUMN",
        tasks=TOKENS,
        of_model=True,
        at="token_choices.text",
    ),
    Option(
        "token",
        TEXT,
        "The column of tokens or events, one a row: the next is learnt.",
        DATA,
        commands=READING,
        metavar="COLUMN",
        tasks=(*TOKENS, *SETS),
        of_model=True,
        at="token_choices.token",
    ),
    Option(
        "multi_hot",
        SWITCH,
        "Each row of that column has a set of tokens, as a list or a text.",
        DATA,
        commands=READING,
        tasks=SETS,
        of_model=True,
        at="token_choices.multi_hot",
    ),
    Option(
        "set_separator",
        TEXT,
        "What stands between the tokens of a set where they are texts.",
        DATA,
        commands=READING,
        metavar="TEXT",
        tasks=SETS,
        of_model=True,
        at="token_choices.set_separator",
    ),
    Option(
        "min_count",
        COUNT,
        "Tokens that are seen less often are unknown.",
        DATA,
        follows="2 of words, else 1",
        commands=READING,
        tasks=(*TOKENS, *SETS),
        of_model=True,
        at="token_choices.min_count",
    ),
    Option(
        "vocabulary",
        COUNT,
        "The most frequent N tokens are known, the unknown one counted.",
        DATA,
        follows="20000, of sets 1000",
        instead="for example --vocabulary 10000; leave it out for the most frequent ones",
        commands=READING,
        tasks=(*TOKENS, *SETS),
        of_model=True,
        at="token_choices.vocabulary",
    ),
    Option(
        "ngrams",
        WHOLE,
        "Pool the network with n-grams up to this order; 0: none.",
        NETWORK,
        follows="5 of words, else 8, where held-out tokens gain by it",
        commands=(TRAIN,),
        tasks=TOKENS,
        of_model=True,
        at="tokens.ngrams",
    ),
)
