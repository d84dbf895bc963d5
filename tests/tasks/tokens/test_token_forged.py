"""A model file of tokens that contradicts itself is refused, with the reason, and never used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnncli import checkpoint
from rnncli import model as models
from rnncli.errors import ModelRefused
from tests.tasks.tokens.conftest import Trained

Change = Callable[[dict[str, Any], dict[str, Any]], None]


def _of(part: str, name: str, value: Any) -> Change:
    return lambda _, meta: meta[part].__setitem__(name, value)


def _two_alike(tensors: dict[str, Any], _: dict[str, Any]) -> None:
    text = tensors["vocabulary.text"].copy()
    text[6] = text[5]
    tensors["vocabulary.text"] = text


def _ends_late(tensors: dict[str, Any], _: dict[str, Any]) -> None:
    tensors["vocabulary.ends"] = tensors["vocabulary.ends"] + 1


def _known_first(tensors: dict[str, Any], _: dict[str, Any]) -> None:
    tensors["vocabulary.text"] = np.concatenate([tensors["vocabulary.text"][:4] + 1, tensors["vocabulary.text"][4:]])


def _n_grams(kind: str, wrong: Callable[[Any], Any]) -> Change:
    def change(tensors: dict[str, Any], _: dict[str, Any]) -> None:
        tensors[f"ngrams.2.{kind}"] = wrong(tensors[f"ngrams.2.{kind}"].copy())

    return change


def _told(name: str, value: Any) -> Change:
    return lambda _, meta: meta["pool"].__setitem__(name, value)


def _swapped(tokens: Any) -> Any:
    tokens[:2] = tokens[1::-1]
    return tokens


@pytest.mark.parametrize(
    "change",
    [
        _of("tokens", "tokens", 0),
        _of("tokens", "tokens", 7),
        _of("tokens", "steps", 0),
        _of("tokens", "forgotten", 1.5),
        _of("network", "inputs", 7),
        _of("network", "cell", "bidirectional:lstm"),
        _of("choices", "split", None),
        _of("choices", "split", "letters"),
        _of("choices", "text", "other"),
        _of("columns", "decimal", "x"),
        _of("record", "validation", {"network": {"perplexity": "low"}}),
        lambda _, meta: meta.__setitem__("zone", 5),
        lambda _, meta: meta.__setitem__("vocabulary", -1),
        _two_alike,
        _ends_late,
        _known_first,
        _of("tokens", "ngrams", 1),
        _of("tokens", "ngrams", 33),
        _told("share", 0.0),
        _told("share", "half"),
        _told("orders", []),
        _told("orders", [[3, 1, 1, 1]]),
        _told("orders", [[0, 1, 1, 1]] * 2),
        _n_grams("followers", lambda followers: followers + 1),
        _n_grams("tokens", lambda tokens: tokens + 40),
        _n_grams("tokens", _swapped),
        _n_grams("counts", lambda counts: counts * 0),
    ],
)
def test_it_is_refused(text_model: Trained, change: Change) -> None:
    tensors, meta = text_model.model.task.to_file(models.load(text_model.path))
    assert models.from_bytes(checkpoint.to_bytes(tensors, meta), "as it is").names == ("verse",)
    change(tensors, meta)
    with pytest.raises(ModelRefused):
        models.from_bytes(checkpoint.to_bytes(tensors, meta), "forged")
