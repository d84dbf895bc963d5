"""What is said of documents in tables: their likeliest next tokens, and how likely those were that they have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rnncli.arrays import Floats, Ints
from rnncli.data.load import Loaded
from rnncli.data.writers.table import number_array, text_array
from rnncli.errors import InputRefused
from rnncli.tasks.document_table import DocumentTable, ids_of
from rnncli.tasks.tokens import when
from rnncli.tasks.tokens.examples import codes_of
from rnncli.tasks.tokens.stateful import Reading
from rnncli.tasks.tokens.token_model import TokenModel


def scored(loaded: Loaded, reading: Reading, *, by_document: bool) -> DocumentTable:
    """How likely every token was after those before it, or all tokens of each document."""
    return _of_documents(loaded, reading) if by_document else _of_tokens(loaded, reading)


def _of_documents(loaded: Loaded, reading: Reading) -> DocumentTable:
    panel = loaded.panel
    total, lengths = reading.sums(panel), panel.lengths
    columns = {
        "tokens": number_array(lengths, pa.int64()),
        "log_p": number_array(total),
        "perplexity": number_array(np.exp(-total / np.maximum(lengths, 1))),
    }
    return _table(loaded, reading.model.model, np.arange(len(panel)), columns, "score")


def _of_tokens(loaded: Loaded, reading: Reading) -> DocumentTable:
    """A row for each token, which are as many as a text has: they are made when they are written."""
    panel, model = loaded.panel, reading.model.model
    said, codes, vocabulary = reading.said(panel), codes_of(panel), list(model.vocabulary)
    waited = np.zeros(0) if said.waits is None else reading.waited

    def rows(begin: int, end: int) -> pa.Table:
        some, row = slice(begin, end), np.arange(begin, end)
        document = np.searchsorted(panel.offsets, row, side="right") - 1
        columns = {
            "position": number_array(1 + row - panel.offsets[document], pa.int64()),
            "token": text_array(vocabulary, codes[some].astype(np.int64)),
            "log_p": number_array(said.log_probabilities[some].astype(np.float64)),
            "rank": number_array(1 + said.ranks[some].astype(np.int64), pa.int64()),
            **({} if said.waits is None else _surprise(model, waited[some], said.waits[some])),
        }
        return _arrow(ids_of(loaded, model.columns, document), columns)

    ids = ids_of(loaded, model.columns, np.zeros(0, np.int64))
    return DocumentTable(rows, len(codes), len(ids), "score", len(panel), loaded.notes, loaded.skipped)


def next_tokens(loaded: Loaded, reading: Reading, top: int) -> DocumentTable:
    """The likeliest next tokens of each document, the likeliest first."""
    model = reading.model.model
    top = min(top, model.spec.tokens)
    found = reading.following(loaded.panel, top)
    codes, logs = found.codes, found.log_probabilities
    p = np.exp(logs.astype(np.float64))
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


def _surprise(model: TokenModel, waited: Floats, waits: Floats) -> dict[str, pa.Array]:
    """When events came after the ones before them, and how odd that was."""
    timing = model.spec.timing
    assert timing is not None
    return when.of_events(timing, waited / timing.day, np.where(np.isnan(waited)[:, None], np.nan, waits))


def _table(
    loaded: Loaded,
    model: TokenModel,
    document: Ints,
    columns: dict[str, pa.Array],
    what: str,
    times: when.Columns = when.NONE,
) -> DocumentTable:
    ids = ids_of(loaded, model.columns, document)
    if len({*ids, *columns, *times.typed}) < len(ids) + len(columns) + len(times.typed):
        raise InputRefused("the table would have two columns of one name", hint="rename the ids in the data")
    table, texts = (_arrow(ids, columns | own) for own in (times.typed, times.typed | times.written))

    def rows(begin: int, end: int) -> pa.Table:
        return table.slice(begin, end - begin)

    def written(begin: int, end: int) -> pa.Table:
        return texts.slice(begin, end - begin)

    count, series = len(document), len(loaded.panel)
    return DocumentTable(rows, count, len(ids), what, series, loaded.notes, loaded.skipped, written=written)


def _arrow(ids: dict[str, pa.Array], columns: dict[str, pa.Array]) -> pa.Table:
    return pa.Table.from_arrays([*ids.values(), *columns.values()], [*ids, *columns])
