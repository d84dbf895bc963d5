"""Events that are generated, as lines of CSV under the names of the data: when each came, and what it was."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.data.labels.known import time_calendar
from rnncli.data.tokens.channels import SINCE
from rnncli.tasks.tokens.token_model import TokenModel


class EventLines:
    """The lines of events of a model whose events have times."""

    def __init__(self, model: TokenModel) -> None:
        self._model = model
        self._calendar = time_calendar(model.columns, model.known.zone)
        self.header = _line([*model.columns.times, model.columns.target])

    def text_of(self, row: NDArray[Any]) -> str:
        """The line of an event, a row [channels]."""
        from rnncli.data.writers.table import clock_texts, time_texts

        columns, time = self._model.columns, np.array([row[SINCE[0]]]).astype(np.int64)
        texts = time_texts(time, columns, self._calendar)
        texts += [] if columns.clock is None else clock_texts(time, columns, self._calendar)
        return _line([*texts, self._model.vocabulary[int(row[0])]])


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
