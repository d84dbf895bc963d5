"""What is wrong with documents, alone or for a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rnncli.data.checks.tokenised import check_tokens
from rnncli.data.tokens.load import described
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.task import LookedAt
from rnncli.tasks.tokens.reading import choices_of
from rnncli.tasks.tokens.token_model import TokenModel


def looked_at(data: Any, choices: ColumnChoices, options: Mapping[str, Any], model: TokenModel | None) -> LookedAt:
    """What was found. InputRefused where documents cannot be read at all."""
    if model is None:
        found = check_tokens(data, choices, choices_of(cast("TrainOptions", options)))
    else:
        found = check_tokens(data, choices, model.known.choices, model.known, model.names)
    seen = found.seen
    if seen is None:
        return LookedAt(found.findings)
    beside = () if seen.rows is None else seen.rows.channels[1:]
    taken = described(seen.columns, seen.tokens, beside)
    return LookedAt(found.findings, int(seen.lengths.sum()), len(seen.documents.ids), taken)
