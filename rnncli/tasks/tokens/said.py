"""What is said of documents in tables: their likeliest next tokens, and how likely those were that they have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rnncli.arrays import Floats, Ints
from rnncli.data.load import Loaded
from rnncli.data.writers.table import number_array, text_array
from rnncli.errors import InputRefused
from rnncli.tasks.tokens import when
from rnncli.tasks.tokens.examples import codes_of
from rnncli.tasks.tokens.stateful import Reading
from rnncli.tasks.tokens.table import TokenTable, ids_of
from rnncli.tasks.tokens.token_model import TokenModel


def scored(loaded: Loaded, reading: Reading, *, by_document: bool) -> TokenTable:
    """How likely every token was after those before it, or all tokens of each document."""
    panel, model = loaded.panel, reading.model.model
    log_p, ranks, waits = reading.said(panel)
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
        **({} if waits is None else _surprise(reading, waits)),
    }
    return _table(loaded, model, document, columns, "score")


def _surprise(reading: Reading, waits: Floats) -> dict[str, pa.Array]:
    """When every event came after the one before it, and how odd that was."""
    timing = reading.model.model.spec.timing
    assert timing is not None
    waited = reading.waited / timing.day
    return when.of_events(timing, waited, np.where(np.isnan(waited)[:, None], np.nan, waits))


def next_tokens(loaded: Loaded, reading: Reading, top: int) -> TokenTable:
    """The likeliest next tokens of each document, the likeliest first."""
    model = reading.model.model
    found = reading.following(loaded.panel)
    logs = found.log_probabilities
    top = min(top, logs.shape[1])
    codes = np.argsort(-logs, axis=1, kind="stable")[:, :top]
    p = np.exp(np.take_along_axis(logs, codes, axis=1).astype(np.float64))
    columns = {
        "rank": number_array(np.tile(np.arange(1, top + 1), len(logs)), pa.int64()),
        "token": text_array(list(model.vocabulary), codes.ravel()),
        "p": number_array(p.ravel()),
    }
    document = np.repeat(np.arange(len(logs)), top)
    if found.waits is None or found.times is None:
        return _table(loaded, model, document, columns, "next")
    waits = np.where((codes.ravel() == model.known.end)[:, None], np.nan, found.waits[document])
    return _table(loaded, model, document, columns, "next", when.of_next(model, found.times[document], waits))


def _table(
    loaded: Loaded,
    model: TokenModel,
    document: Ints,
    columns: dict[str, pa.Array],
    what: str,
    times: when.Columns = when.NONE,
) -> TokenTable:
    ids = ids_of(loaded, model, document)
    every = {**ids, **columns, **times.typed}
    if len(every) < len(ids) + len(columns) + len(times.typed):
        raise InputRefused("the table would have two columns of one name", hint="rename the ids in the data")
    table = pa.Table.from_arrays(list(every.values()), list(every))
    written = pa.Table.from_arrays(list({**every, **times.written}.values()), list(every))
    return TokenTable(table, len(ids), what, len(loaded.panel), loaded.notes, loaded.skipped, written)
