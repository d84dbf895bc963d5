"""Labels that are missing, change or are too few, and sequences that are the same or of one row."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data.checks.finding import SHOWN, Example, Finding, Severity
from rnncli.data.checks.labelled import SeenLabels

IMBALANCE = 10  # times as many of one class as of another
LENGTHS = 10  # times as long as another sequence


def label_missing(seen: SeenLabels) -> Finding | None:
    """Sequences (or rows) without a label: all of them, which is an error, or some."""
    none = np.isnan(seen.examples) & ~_of_new_classes(seen)
    if not none.any() or (seen.known is not None and none.all()):
        return None
    severity: Severity = "error" if none.all() else "note"
    places = np.flatnonzero(none)[:SHOWN].tolist()
    examples = tuple(Example(where=seen.where(row)) for row in places) if seen.per_step else seen.of_sequences(places)
    remedy = "look at the column and how missing values are written; or name another: --label NAME"
    return Finding(
        severity,
        f"{seen.what} have no label",
        int(np.count_nonzero(none)),
        examples,
        remedy if none.all() else "nothing needs to be done: they are never scored",
    )


def _of_new_classes(seen: SeenLabels) -> Bools:
    """Which examples are of a class that the model's training had not."""
    found = seen.found
    if found.unseen is None:
        return np.zeros(len(seen.examples), np.bool_)
    fresh = found.unseen[found.places(found.rows)[seen.order]] >= 0
    return fresh if seen.per_step else np.asarray(np.logical_or.reduceat(fresh, seen.offsets[:-1]))


def label_changes(seen: SeenLabels) -> Finding | None:
    """Sequences whose label changes, where each is to have one."""
    low, high = seen.extremes
    found = np.flatnonzero(low < high)
    if seen.per_step or not len(found):
        return None
    says = [f"{seen.shown(low[s])} and {seen.shown(high[s])}" for s in found[:SHOWN].tolist()]
    return Finding(
        "error",
        "sequences have more than one label",
        len(found),
        seen.of_sequences(found.tolist(), says),
        "if each row has a label of its own: --per-step; if another column tells sequences apart: --id NAME",
    )


def class_single(seen: SeenLabels) -> Finding | None:
    """One label for all: there is nothing to tell apart."""
    label = seen.examples[~np.isnan(seen.examples)]
    if seen.known is not None or not label.size or (label != label[0]).any() or label_changes(seen) is not None:
        return None
    says = f"all {len(label):,} labels are {seen.shown(float(label[0]))}"
    remedy = "give sequences of two classes at least; or name another column: --label NAME"
    return Finding("error", "all labels are the same", len(label), (Example(says=says),), remedy)


def _counts(seen: SeenLabels) -> Ints | None:
    """The number of examples of each class; None where labels are numbers."""
    if seen.label.kind == "number":
        return None
    label = seen.examples[~np.isnan(seen.examples)].astype(np.int64)
    return np.bincount(label, minlength=len(seen.label.vocabulary))


def class_rare(seen: SeenLabels) -> Finding | None:
    """Classes of one example: it is learnt from or scored, and never both."""
    counts = _counts(seen)
    if counts is None or seen.known is not None:
        return None
    found = np.flatnonzero(counts == 1)
    if not len(found):
        return None
    examples = []
    for code in found[:SHOWN].tolist():
        place = int(np.flatnonzero(seen.examples == code)[0])
        where = seen.where(place if seen.per_step else int(seen.offsets[place]))
        examples.append(Example(None if seen.per_step else seen.ids[place], None, where, f"class {seen.shown(code)}"))
    return Finding(
        "warning",
        f"classes have one example each ({seen.what})",
        len(found),
        tuple(examples),
        "give more of them, or join them with another class",
    )


def class_imbalance(seen: SeenLabels) -> Finding | None:
    """One class has many times the examples of another."""
    counts = _counts(seen)
    if counts is None or not (counts > 1).any():
        return None
    some = np.flatnonzero(counts)
    most, least = int(some[np.argmax(counts[some])]), int(some[np.argmin(counts[some])])
    if counts[most] < IMBALANCE * counts[least]:
        return None
    says = [f"class {seen.shown(code)}: {counts[code]:,} of {counts.sum():,}" for code in (most, least)]
    remedy = "look at the balanced accuracy and at each class: the accuracy of always naming one class is high"
    return Finding("note", "classes are of very different size", 1, tuple(Example(says=text) for text in says), remedy)


def class_unseen(seen: SeenLabels) -> Finding | None:
    """Classes that the model's training had not."""
    if seen.found.unseen is None or not seen.found.fresh:
        return None
    codes = seen.found.unseen
    counts = np.bincount(codes[codes >= 0], minlength=len(seen.found.fresh))
    ranked = sorted(range(len(counts)), key=lambda code: -counts[code])
    examples = tuple(Example(says=f"{seen.found.fresh[c]!r}, {counts[c]:,} rows") for c in ranked[:SHOWN])
    remedy = "look for another spelling, or train again; until then they are not scored"
    return Finding("warning", "classes are new since training", len(counts), examples, remedy)


def sequence_short(seen: SeenLabels) -> Finding | None:
    """Sequences of one row."""
    found = np.flatnonzero(np.diff(seen.offsets) == 1)
    if not len(found):
        return None
    remedy = "look at the id column: --id NAME; a sequence of one row has nothing before it"
    return Finding("warning", "sequences have one row", len(found), seen.of_sequences(found.tolist()), remedy)


def lengths_differ(seen: SeenLabels) -> Finding | None:
    """The longest sequence has many times the rows of the shortest."""
    lengths = np.diff(seen.offsets)
    low, high = int(np.argmin(lengths)), int(np.argmax(lengths))
    if lengths[high] < LENGTHS * lengths[low]:
        return None
    says = [f"{lengths[s]:,} row{'s' * bool(lengths[s] != 1)}" for s in (low, high)]
    remedy = "nothing needs to be done; if some are broken off, leave them out"
    return Finding("note", "sequences are of very different length", 1, seen.of_sequences((low, high), says), remedy)


def sequence_repeated(seen: SeenLabels) -> Finding | None:
    """Sequences whose channels are those of an earlier one in every step: one may be learnt from, and one scored."""
    pairs = _same(seen)
    says = [f"as {seen.ids[one]!r}" for one, _ in pairs[:SHOWN]]
    if not pairs:
        return None
    remedy = "leave repeated ones out, or keep them together with --group: else they are learnt from and scored"
    found = [other for _, other in pairs]
    return Finding("warning", "sequences repeat another one", len(pairs), seen.of_sequences(found, says), remedy)


def sequence_learnt(seen: SeenLabels) -> Finding | None:
    """Sequences of ids that the model learnt from; numbers of rows are no ids."""
    found = [s for s, name in enumerate(seen.ids) if name in seen.learnt]
    columns = seen.found.rows.columns
    if not found or not (columns.ids or columns.by_file):
        return None
    what = "sequences have ids that the model learnt from"
    remedy = "leave them out where the model is to be scored; if they are others, give them ids of their own"
    return Finding("warning", what, len(found), seen.of_sequences(found), remedy)


def label_contradicting(seen: SeenLabels) -> Finding | None:
    """Sequences that repeat another one and have another label."""
    if seen.per_step:
        return None
    label = seen.examples
    pairs = [(one, other) for one, other in _same(seen) if abs(label[one] - label[other]) > 0]
    if not pairs:
        return None
    says = [
        f"{seen.shown(label[other])}, and {seen.ids[one]!r} is {seen.shown(label[one])}" for one, other in pairs[:SHOWN]
    ]
    found = [other for _, other in pairs]
    remedy = "one of the labels is wrong, or the channels do not say what it depends on"
    what = "sequences repeat one that has another label"
    return Finding("warning", what, len(pairs), seen.of_sequences(found, says), remedy)


def _same(seen: SeenLabels) -> list[tuple[int, int]]:
    """(first, other) of each sequence that has the channels of an earlier one."""
    first: dict[bytes, int] = {}
    pairs = []
    inputs = seen.inputs
    for s, (begin, end) in enumerate(zip(seen.offsets[:-1].tolist(), seen.offsets[1:].tolist(), strict=True)):
        one = first.setdefault(inputs[begin:end].tobytes(), s)
        if one != s:
            pairs.append((one, s))
    return pairs
