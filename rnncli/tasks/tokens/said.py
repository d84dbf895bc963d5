"""What is said of documents in tables: their likeliest next tokens, and how likely those were that they have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rnncli.arrays import Ints
from rnncli.data.load import Loaded
from rnncli.data.writers.table import number_array, text_array
from rnncli.tasks.document_table import DocumentTable, ids_of
from rnncli.tasks.tokens.examples import codes_of
from rnncli.tasks.tokens.stateful import Reading
from rnncli.tasks.tokens.stream import following
from rnncli.tasks.tokens.token_model import TokenModel


def scored(loaded: Loaded, reading: Reading, *, by_document: bool) -> DocumentTable:
    """How likely every token was after those before it, or all tokens of each document."""
    panel, model = loaded.panel, reading.model.model
    log_p, ranks = reading.said(panel)
    lengths = panel.lengths
    if by_document:
        total = np.diff(np.concatenate([[0.0], np.cumsum(log_p)])[panel.offsets])
        perplexity = np.exp(-total / np.maximum(lengths, 1))
        every = np.arange(len(panel))
        columns = {
            "tokens": number_array(lengths, pa.int64()),
            "log_p": number_array(total),
            "perplexity": number_array(perplexity),
        }
        return _table(loaded, model, every, columns, "score")
    document = np.repeat(np.arange(len(panel)), lengths)
    position = 1 + np.arange(len(document)) - panel.offsets[document]
    columns = {
        "position": number_array(position, pa.int64()),
        "token": text_array(list(model.vocabulary), codes_of(panel).astype(np.int64)),
        "log_p": number_array(log_p),
        "rank": number_array(1 + ranks, pa.int64()),
    }
    return _table(loaded, model, document, columns, "score")


def next_tokens(loaded: Loaded, reading: Reading, top: int) -> DocumentTable:
    """The likeliest next tokens of each document, the likeliest first."""
    model = reading.model.model
    logs = following(reading.model, reading.read(loaded.panel))
    top = min(top, logs.shape[1])
    codes = np.argsort(-logs, axis=1, kind="stable")[:, :top]
    p = np.exp(np.take_along_axis(logs, codes, axis=1).astype(np.float64))
    columns = {
        "rank": number_array(np.tile(np.arange(1, top + 1), len(logs)), pa.int64()),
        "token": text_array(list(model.vocabulary), codes.ravel()),
        "p": number_array(p.ravel()),
    }
    return _table(loaded, model, np.repeat(np.arange(len(logs)), top), columns, "next")


def _table(loaded: Loaded, model: TokenModel, document: Ints, columns: dict[str, pa.Array], what: str) -> DocumentTable:
    ids = ids_of(loaded, model.columns, document)
    table = pa.Table.from_arrays([*ids.values(), *columns.values()], [*ids, *columns])
    return DocumentTable(table, len(ids), what, len(loaded.panel), loaded.notes, loaded.skipped)
