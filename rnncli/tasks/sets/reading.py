"""Documents of sets read from data: new ones, or as those of a model were."""

from __future__ import annotations

from dataclasses import replace

from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.sets.load import load_sets
from rnncli.events import Listener
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices, TokenChoices
from rnncli.tasks.reading import told
from rnncli.tasks.sets.set_model import SetModel


def choices_of(options: TrainOptions) -> TokenChoices:
    """The options about tokens."""
    return replace(TokenChoices(**fields_given(TokenChoices, options)), multi_hot=True)


def load_new(data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
    """Documents of which nothing is known."""
    return told(load_sets(data, choices, choices_of(options)), tell)


def load_known(data: Data, choices: ColumnChoices, model: SetModel, tell: Listener) -> Loaded:
    """Documents, read as those of a model were."""
    return told(load_sets(data, choices, known=model.known), tell)


def load_to_train(
    data: Data, choices: ColumnChoices, options: TrainOptions, start: SetModel | None, tell: Listener
) -> Loaded:
    """Documents to train on."""
    return load_new(data, choices, options, tell) if start is None else load_known(data, choices, start, tell)
