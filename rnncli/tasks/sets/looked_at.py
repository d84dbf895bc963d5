"""The findings of a check of documents of sets, alone or for a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rnncli.data.checks.sets import check_sets
from rnncli.data.tokens.load import described
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.sets.reading import choices_of
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.task import LookedAt


def looked_at(data: Any, choices: ColumnChoices, options: Mapping[str, Any], model: SetModel | None) -> LookedAt:
    """The findings. InputRefused where documents cannot be read at all."""
    if model is None:
        tokens = choices_of(cast("TrainOptions", options))
        found = check_sets(data, choices, tokens)
    else:
        tokens = model.known.choices
        found = check_sets(data, choices, tokens, model.known, model.names)
    seen = found.seen
    if seen is None:
        return LookedAt(found.findings)
    taken = described(seen.documents.columns, tokens)
    return LookedAt(found.findings, int(seen.documents.lengths.sum()), len(seen.documents.ids), taken)
