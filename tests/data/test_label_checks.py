"""What is wrong with labelled data is found, counted and placed; training and checks agree about what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnncli.data.checks.finding import Finding
from rnncli.data.checks.labelled import check_labels
from rnncli.data.labels.known import known_labels
from rnncli.data.labels.load import load_labels
from rnncli.errors import InputRefused
from rnncli.registry import LABEL_CHECKS, find
from rnncli.spec import ColumnChoices, LabelChoices

ID = ColumnChoices(id=("id",))
L = LabelChoices(label="l")
Change = Callable[[pd.DataFrame], object]


def frame(sequences: int = 12, rows: int = 6) -> pd.DataFrame:
    """Noise with a label of two classes for each sequence."""
    rng = np.random.default_rng(0)
    number = np.repeat(np.arange(sequences), rows)
    labels = rng.permutation(np.arange(sequences) % 2)[number]
    x, y = rng.normal(size=(2, sequences * rows))
    return pd.DataFrame({"id": [f"s{s}" for s in number], "x": x, "y": y, "l": np.where(labels, "up", "down")})


def findings(data: object, labels: LabelChoices = L) -> dict[str, Finding]:
    return {finding.id: finding for finding in check_labels(data, ID, labels).findings}


def test_good_data_have_no_finding() -> None:
    assert findings(frame()) == {}


def changed(change: Change) -> pd.DataFrame:
    table = frame()
    change(table)
    return table


def _label(value: object) -> Change:
    return lambda t: t.__setitem__("l", value)


def _rows(rows: slice | int, column: str, value: object) -> Change:
    return lambda t: t.__setitem__(column, [value if at in _places(rows, t) else v for at, v in enumerate(t[column])])


def _places(rows: slice | int, table: pd.DataFrame) -> range:
    return range(*rows.indices(len(table))) if isinstance(rows, slice) else range(rows, rows + 1)


CASES: dict[str, tuple[Change, str, int]] = {
    "label-missing": (_label(None), "error", 12),
    "label-changes": (_rows(8, "l", "sideways"), "error", 1),
    "class-single": (_label("up"), "error", 12),
    "class-rare": (_rows(slice(6, 12), "l", "sideways"), "warning", 1),
    "label-leakage": (lambda t: t.__setitem__("code", np.where(t.l == "up", 7.0, 3.0)), "error", 1),
    "channel-missing": (_rows(slice(0, 50), "y", np.nan), "warning", 1),
    "channel-passed-over": (lambda t: t.__setitem__("unit", "mm"), "note", 1),
    "refused": (_rows(3, "x", np.inf), "error", 1),
}


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_found_alone(name: str) -> None:
    change, severity, count = CASES[name]
    found = findings(changed(change))
    assert list(found) == [name]
    assert (found[name].severity, found[name].count) == (severity, count)
    assert found[name].examples
    assert found[name].remedy


@pytest.mark.parametrize("name", CASES)
def test_what_has_an_error_is_what_training_refuses_or_what_leaks(name: str) -> None:
    table = changed(CASES[name][0])
    if CASES[name][1] == "error" and name != "label-leakage":
        with pytest.raises(InputRefused):
            load_labels(table, ID, L)
    else:
        assert len(load_labels(table, ID, L).panel) == 12


def test_labels_that_change_are_shown_with_both() -> None:
    found = findings(changed(_rows(8, "l", "sideways")))["label-changes"]
    assert str(found.examples[0]).startswith("series 's1'")
    assert "'sideways'" in found.examples[0].says


def test_a_number_that_is_the_label_leaks() -> None:
    table = frame(60)
    table["l"] = np.repeat(np.linspace(0, 1, 60), 6)
    table["copy"] = table.l
    assert findings(table)["label-leakage"].examples[0].says == "channel 'copy' equals it in every row"
    assert "label-leakage" not in findings(table.drop(columns="copy"))


def test_sequences_that_repeat_another_are_found_and_so_are_their_labels() -> None:
    table = frame()
    copy = table[table.id == "s0"].assign(id="again")
    found = findings(pd.concat([table, copy]))
    assert (list(found), found["sequence-repeated"].examples[0].says) == (["sequence-repeated"], "as 's0'")
    copy["l"] = "down" if copy.l.iloc[0] == "up" else "up"
    assert list(findings(pd.concat([table, copy]))) == ["sequence-repeated", "label-contradicting"]


def test_short_and_long_sequences_and_rare_classes_are_named() -> None:
    table = frame(40)
    long = pd.DataFrame({"id": "long", "x": np.arange(90) ** 0.5, "y": 1 / (1 + np.arange(90)), "l": "up"})
    one = pd.DataFrame({"id": ["one"], "x": [0.5], "y": [0.1], "l": ["up"]})
    found = findings(pd.concat([table, long, one]))
    assert list(found) == ["sequence-short", "lengths-differ"]
    rare = table.assign(l=["up" if int(name[1:]) < 38 else "down" for name in table.id])
    assert findings(rare)["class-imbalance"].examples[0].says == "class 'up': 38 of 40"


def test_a_model_is_asked_whether_it_knows_the_classes() -> None:
    known = known_labels(load_labels(frame(), ID, L), L)
    table = changed(_rows(slice(0, 6), "l", "sideways"))
    found = {finding.id: finding for finding in check_labels(table, ColumnChoices(), L, known).findings}
    assert found["class-unseen"].examples[0].says == "'sideways', 6 rows"
    assert not check_labels(frame().drop(columns="l"), ColumnChoices(), L, known).findings
    gone = check_labels(frame().drop(columns="y"), ColumnChoices(), L, known)
    assert [(finding.id, finding.severity) for finding in gone.findings] == [("refused", "error")]
    assert gone.seen is None


def test_a_label_a_step_and_a_row_a_sequence_are_looked_at_too(tmp_path: Path) -> None:
    table = frame().drop(columns="id")
    assert not check_labels(table, ColumnChoices(), LabelChoices(label="l", per_step=True)).findings
    path = tmp_path / "d.tsv"
    path.write_text("1\t0.5\t2\n1\t0.25\t3\n2\t0.5\t2\n2\t4\t7.5\n")
    looked = check_labels(path, ColumnChoices(), LabelChoices(label="1", row_per_sequence=True))
    assert [finding.id for finding in looked.findings] == ["sequence-repeated", "label-contradicting"]
    assert looked.findings[0].examples[0].where == f"{path}:3"


def test_every_check_is_there() -> None:
    assert all(callable(find(LABEL_CHECKS, name, "check")) for name in LABEL_CHECKS)
