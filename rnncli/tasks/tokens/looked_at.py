"""What is wrong with documents, alone or for a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rnncli.data.tokens.load import described, load_tokens
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.task import LookedAt
from rnncli.tasks.tokens.reading import choices_of
from rnncli.tasks.tokens.token_model import TokenModel


def looked_at(data: Any, choices: ColumnChoices, options: Mapping[str, Any], model: TokenModel | None) -> LookedAt:
    """What was found. InputRefused where documents cannot be read at all."""
    if model is None:
        loaded = load_tokens(data, choices, choices_of(cast("TrainOptions", options)))
    else:
        loaded = load_tokens(data, choices, known=model.known)
    assert loaded.tokens is not None
    taken = described(loaded.columns, loaded.tokens)
    return LookedAt((), len(loaded.panel.values), len(loaded.panel), taken)
