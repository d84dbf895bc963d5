"""The column of labels: classes, or numbers, as its values show or as the user said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.channel import Channel
from rnncli.data.numbertext import MISSING
from rnncli.data.readers.table import NUMERIC, Kind
from rnncli.data.tables import Faults, Tables
from rnncli.errors import InputRefused

FEW = 50  # different whole numbers at most are classes, if nobody says what they are
MOST_CLASSES = 1_000
SHOWN = 10  # classes in a note


def read_as(kind: Kind, label_kind: str | None) -> Kind:
    """How a column of labels is to be read: numbers as such, unless they are classes."""
    return "number" if label_kind == "number" or (label_kind is None and kind in (*NUMERIC, "empty")) else "text"


def new_label(
    tables: Tables, written: Tables, name: str, kind: Kind, label_kind: str | None, faults: Faults
) -> tuple[Floats, Channel]:
    """The labels [n], numbers or codes of classes, NaN where there is none, and their channel; in `tables` the column
    was read as `read_as` says, in `written` as texts, by which classes are called.

    Texts, booleans and whole numbers of at most FEW different values are classes, other numbers are numbers;
    `label_kind` says so otherwise. InputRefused where there are too many classes, or texts should be numbers.
    """
    tables.refuse_nested(name, "labels")
    if read_as(kind, label_kind) == "number" and kind != "flag":
        values = _numbers(tables, name, faults)
        if label_kind == "number" or not _few_whole(values):
            return values, Channel(name, "number", "label")
    elif label_kind == "number":
        return tables.floats(name, faults), Channel(name, "number", "label")
    codes, texts = class_texts(written, name, kind)
    vocabulary = _sorted(texts)
    _refuse_many(vocabulary, name, tables)
    return _placed(codes, texts, vocabulary), Channel(name, "category", "label", vocabulary)


def known_label(
    tables: Tables, name: str, kind: Kind, channel: Channel, faults: Faults
) -> tuple[Floats, tuple[Ints, list[str]]]:
    """The labels [n] of data that a model is to label, and each row's code into the classes that training had not
    (-1 elsewhere): their labels are NaN, for they cannot be scored.
    """
    tables.refuse_nested(name, "labels")
    if channel.kind == "number":
        values = _numbers(tables, name, faults)
        return values, (np.full(len(values), -1), [])
    codes, texts = class_texts(tables, name, kind)
    had = set(channel.vocabulary)
    fresh = [text for text in texts if text not in had]
    place = {text: number for number, text in enumerate(fresh)}
    unseen = np.array([*(place.get(text, -1) for text in texts), -1], np.int64)[codes]
    return _placed(codes, texts, channel.vocabulary), (unseen, fresh)


def class_texts(tables: Tables, name: str, kind: Kind) -> tuple[Ints, list[str]]:
    """A column as codes [n] into the texts of classes, -1 where there is none: as written, but for booleans (true,
    false) and whole numbers with a point (1.0 is 1).
    """
    codes, texts = tables.codes(name, "labels")
    bare = [text.strip() for text in texts]
    if kind == "flag":
        bare = [text.lower() for text in bare]
    if kind in (*NUMERIC, "empty"):
        bare = ["" if text in MISSING else text for text in bare]
        bare = _without_points(bare)
    different = list(dict.fromkeys(text for text in bare if text))
    place = {text: number for number, text in enumerate(different)}
    return np.array([*(place.get(text, -1) for text in bare), -1], np.int64)[codes], different


def _without_points(texts: list[str]) -> list[str]:
    """Whole numbers without a point, where all are whole; else the texts as they are."""
    values = [_number(text) for text in texts if text]
    if not values or not all(value is not None and value.is_integer() for value in values):
        return texts
    return [str(int(float(text))) if "." in text or "e" in text.lower() else text for text in texts]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numbers(tables: Tables, name: str, faults: Faults) -> Floats:
    """A column of numbers; texts in files that have types are converted. InputRefused with the place of one that is
    none.
    """
    try:
        return tables.floats(name, faults)
    except InputRefused:
        codes, texts = tables.codes(name, "labels")
    values = [np.nan if text.strip() in MISSING else _number(text) for text in texts]
    if None in values:
        place = values.index(None)
        raise InputRefused(
            f"the label {texts[place][:40]!r} in column {name!r} is not a number",
            where=tables.where(int(np.argmax(codes == place))),
            hint="correct it, leave it empty, or let labels be classes: --label-kind class",
        )
    return np.array([*values, np.nan], np.float64)[codes]


def _few_whole(values: Floats) -> bool:
    different = np.unique(values[~np.isnan(values)])
    finite = np.isfinite(different)
    return len(different) <= FEW and bool(finite.all() and (different == np.floor(different)).all())


def _sorted(texts: Sequence[str]) -> tuple[str, ...]:
    """Numbers by value, texts by text."""
    values = [_number(text) for text in texts]
    if any(value is None or not np.isfinite(value) for value in values):
        return tuple(sorted(texts))
    return tuple(sorted(texts, key=lambda text: (float(text), text)))


def _placed(codes: Ints, texts: Sequence[str], vocabulary: Sequence[str]) -> Floats:
    place = {text: float(number) for number, text in enumerate(vocabulary)}
    return np.array([*(place.get(text, np.nan) for text in texts), np.nan])[codes]


def _refuse_many(vocabulary: Sequence[str], name: str, tables: Tables) -> None:
    if len(vocabulary) > MOST_CLASSES:
        raise InputRefused(
            f"label {name!r} has {len(vocabulary):,} different values, and there are at most {MOST_CLASSES:,} classes",
            where=tables.name,
            hint="if they are numbers: --label-kind number; else name another column: --label NAME",
        )


def described_label(channel: Channel, *, per_step: bool) -> str:
    """What the labels were taken for, in one line."""
    where = "one a step" if per_step else "one a sequence"
    if channel.kind == "number":
        return f"label {channel.name!r}: numbers, {where}"
    names = channel.vocabulary
    some = ", ".join(names[:SHOWN]) if len(names) <= SHOWN + 1 else ", ".join((*names[: SHOWN - 1], "...", names[-1]))
    return f"label {channel.name!r}: {len(names):,} classes ({some}), {where}"
