"""Tables about documents of sets: the likeliest tokens of the next one, scores of the sets that they have, and sets
that go on from them.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rnncli.arrays import Ints
from rnncli.data.load import Loaded
from rnncli.data.panel import offsets_of
from rnncli.data.sets.load import USUAL
from rnncli.data.writers.table import number_array, text_array
from rnncli.errors import InputRefused
from rnncli.metrics.sets import EXPECTED
from rnncli.tasks.document_table import DocumentTable, ids_of
from rnncli.tasks.sets.examples import hot_of
from rnncli.tasks.sets.generate import Drawing, generated
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.sets.stateful import Reading
from rnncli.tasks.sets.stream import following

POSITION = "position"


def next_sets(loaded: Loaded, reading: Reading, top: int | None) -> DocumentTable:
    """The likeliest tokens of the next set of each document, the likeliest first: so many, or those that are more
    likely than not, and one at least.
    """
    model = reading.model.model
    p = following(reading.model, reading.read(loaded.panel))[:, 1:]
    order = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    rank = np.arange(p.shape[1])
    shown = rank < top if top is not None else (ranked > EXPECTED) | (rank == 0)
    document, place = np.nonzero(np.broadcast_to(shown, p.shape))
    columns = {
        "rank": number_array(1 + place, pa.int64()),
        "token": text_array(list(model.vocabulary), 1 + order[document, place]),
        "p": number_array(ranked[document, place]),
    }
    return _table(loaded, model, document, columns, "next")


def scored(loaded: Loaded, reading: Reading, *, by_document: bool) -> DocumentTable:
    """Log probabilities of the set of every step after those before it, or of all sets of each document; a set that is
    missing is not scored.
    """
    panel, model = loaded.panel, reading.model.model
    log_p = reading.said(panel).log_probabilities
    hot, owner = hot_of(panel), np.repeat(np.arange(len(panel)), panel.lengths)
    known = np.flatnonzero(hot[:, 0] >= 0)
    if by_document:
        count = np.bincount(owner[known], minlength=len(panel))
        total = np.bincount(owner[known], log_p[known], minlength=len(panel))
        columns = {
            "steps": number_array(count, pa.int64()),
            "log_p": number_array(total),
            "cross_entropy": number_array(-total / np.maximum(count, 1)),
        }
        return _table(loaded, model, np.arange(len(panel)), columns, "score")
    columns = {
        POSITION: number_array(1 + known - panel.offsets[owner[known]], pa.int64()),
        "tokens": number_array(hot[known].sum(axis=1, dtype=np.int64), pa.int64()),
        "log_p": number_array(log_p[known]),
    }
    return _table(loaded, model, owner[known], columns, "score")


def continued(loaded: Loaded, reading: Reading, count: int, drawing: Drawing) -> DocumentTable:
    """So many sets with which each document goes on, written as those were that it was trained on."""
    panel, model = loaded.panel, reading.model.model
    here, target = reading.read(panel), model.columns.target
    if target == POSITION:
        raise InputRefused(f"the table would have two columns called {target!r}", hint="rename it in the data")
    hot = np.stack(list(generated(reading, here, panel, count, drawing)), axis=1)
    document, step = np.repeat(np.arange(len(panel)), count), np.tile(np.arange(count), len(panel))
    columns = {
        POSITION: number_array(1 + here.consumed[document] + step, pa.int64()),
        target: written(hot.reshape(-1, hot.shape[2]), model),
    }
    return _table(loaded, model, document, columns, "sets")


def written(hot: NDArray[np.int8], model: SetModel) -> pa.Array:
    """Sets hot [n, tokens] as a column in the form in which they came: texts with the separator between tokens, or
    lists, of whole numbers where all tokens are some; tokens in the order of their numbers, else of their texts.
    """
    names = model.vocabulary[1:]
    whole = all(token.isdecimal() and str(int(token)) == token for token in names)
    order = sorted(range(len(names)), key=lambda code: (int(names[code]) if whole else 0, names[code]))
    ordered = [names[code] for code in order]
    row, place = np.nonzero(hot[:, 1:][:, order] > 0)
    offsets = offsets_of(np.bincount(row, minlength=len(hot)))
    if model.known.choices.set_separator is None:
        items = number_array(np.array([int(name) for name in ordered])[place], pa.int64()) if whole else None
        values = text_array(ordered, place) if items is None else items
        return pa.LargeListArray.from_arrays(number_array(offsets, pa.int64()), values)
    bounds = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    texts = [model.known.choices.set_separator.join(ordered[k] for k in place[begin:end]) for begin, end in bounds]
    return text_array(texts, np.arange(len(texts)))


def _table(loaded: Loaded, model: SetModel, document: Ints, columns: dict[str, pa.Array], what: str) -> DocumentTable:
    ids = ids_of(loaded, model.columns, document, tuple(columns))
    table = pa.Table.from_arrays([*ids.values(), *columns.values()], [*ids, *columns])
    between = model.known.choices.set_separator or USUAL

    def rows(begin: int, end: int) -> pa.Table:
        return table.slice(begin, end - begin)

    count = len(loaded.panel)
    return DocumentTable(rows, len(document), len(ids), what, count, loaded.notes, loaded.skipped, "sets", between)
