"""A model of labels whose parts contradict each other is refused with exit code 5 when it is loaded."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from rnncli import model as model_file
from rnncli.errors import ModelRefused

SIGNING = runpy.run_path(str(Path(__file__).parents[2] / "faults" / "fuzz" / "signing.py"))


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("columns", "decimal", "label"),
        ("columns", "encoding", "no such"),
        ("columns", "numbered", 4),
        ("columns", "separator", "ab"),
        ("columns", "thousands", ""),
        ("columns", "time", "label"),
        ("columns", "id", "step"),
        ("columns", "more_ids", ["x"]),
        ("choices", "per_step", True),
        ("choices", "label", "other"),
        ("choices", "label_kind", "number"),
        ("choices", "row_per_sequence", True),
        ("labels", "both_ways", False),
        ("labels", "stride", 4),
        ("labels", "scale", 1e308),
    ],
)
def test_columns_and_choices_that_do_not_fit_are_refused(
    label_model: Path, tmp_path: Path, part: str, name: str, value: Any
) -> None:
    document, table, body = SIGNING["opened"](label_model.read_bytes())
    document[part][name] = value
    path = tmp_path / "forged.safetensors"
    path.write_bytes(SIGNING["signed"](document, table, body))
    with pytest.raises(ModelRefused) as caught:
        model_file.load(path)
    assert (caught.value.exit_code, bool(caught.value.hint)) == (5, True)


def test_two_classes_of_one_name_are_refused(label_model: Path, tmp_path: Path) -> None:
    document, table, body = SIGNING["opened"](label_model.read_bytes())
    begin, end = table["vocabulary.text"]["data_offsets"]
    assert body[begin:end] == b"abc"
    path = tmp_path / "forged.safetensors"
    path.write_bytes(SIGNING["signed"](document, table, body[:begin] + b"aac" + body[end:]))
    with pytest.raises(ModelRefused):
        model_file.load(path)
