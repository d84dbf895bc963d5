"""How documents are read: new ones, or as those of a model were."""

from __future__ import annotations

from dataclasses import replace

from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.data.source import NothingThere
from rnncli.data.tokens.load import load_tokens, read_texts, to_tokens
from rnncli.data.tokens.vocabulary import Documents
from rnncli.events import Listener
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices, TokenChoices
from rnncli.tasks.reading import listed, told
from rnncli.tasks.tokens.token_model import TokenModel

NAMELESS = "text"  # the id of a single text


def choices_of(options: TrainOptions) -> TokenChoices:
    """The options about tokens."""
    return TokenChoices(**fields_given(TokenChoices, options))


def load_new(data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
    """Documents of which nothing is known."""
    return told(load_tokens(data, choices, choices_of(options)), tell)


def load_known(data: Data, choices: ColumnChoices, model: TokenModel, tell: Listener) -> Loaded:
    """Documents, read as those of a model were."""
    return told(load_tokens(data, choices, known=model.known), tell)


def load_to_train(
    data: Data, choices: ColumnChoices, options: TrainOptions, start: TokenModel | None, tell: Listener
) -> Loaded:
    """Documents to train on."""
    return load_new(data, choices, options, tell) if start is None else load_known(data, choices, start, tell)


def load_prompt(data: Data, choices: ColumnChoices, model: TokenModel, tell: Listener) -> Loaded:
    """A document to go on with, which may be empty, and does not end."""
    known = model.known
    if known.choices.token is not None:
        return open_ended(load_known(data, choices, model, tell), model)
    piped = listed(data) == ["-"]  # a text, also where those of training stood in a column
    tokens = replace(known.choices, text=None) if piped else known.choices
    try:
        columns, documents = read_texts(data, choices, tokens, known)
    except NothingThere:
        columns, documents = known.columns, Documents((NAMELESS,), [[]], (), ("",))
    return told(open_ended(to_tokens(columns, documents, known.choices, known), model), tell)


def open_ended(loaded: Loaded, model: TokenModel) -> Loaded:
    """The documents without the token at the end of each, so that they can go on. A single text has no name: another
    that is given later goes on with it.
    """
    panel, columns = loaded.panel, loaded.columns
    if not columns.ids and not columns.by_file and len(panel) == 1:
        panel = replace(panel, ids=(NAMELESS,))
    if model.known.end is not None:
        panel = panel_without_ends(panel)
    return replace(loaded, panel=panel)


def panel_without_ends(panel: Panel) -> Panel:
    """The panel without the last row of each document."""
    lengths = panel.lengths - 1
    rows = ranges(panel.offsets[:-1], lengths)
    return replace(panel, values=panel.values[rows], offsets=offsets_of(lengths))
