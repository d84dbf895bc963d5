"""What is wrong with a labelled table, alone or for a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rnncli.data.checks.labelled import check_labels
from rnncli.data.labels.load import described
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.reading import by_group, choices_of, frames_of
from rnncli.tasks.task import LookedAt


def looked_at(data: Any, choices: ColumnChoices, options: Mapping[str, Any], model: Labeler | None) -> LookedAt:
    """What was found. InputRefused where a file cannot be read at all."""
    if model is None:
        labels = choices_of(cast("TrainOptions", options))
        found = check_labels(data, choices, labels, frames=frames_of(options))
    else:
        known = by_group(model, options.get("group")).known
        found = check_labels(data, choices, known.choices, known, model.names)
    seen = found.seen
    if seen is None:
        return LookedAt(found.findings)
    rows = seen.found.rows
    return LookedAt(found.findings, len(seen.order), len(seen.ids), described(rows.columns, rows.channels))
