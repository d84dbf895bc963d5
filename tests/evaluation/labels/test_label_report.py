"""A model for labels beside its baselines: what is scored, how honestly, who is better, and the gates over it."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from rnncli.baselines.labels import nearest
from rnncli.baselines.labels.sequences import Sequences
from rnncli.errors import RnncliError, UsageError
from rnncli.evaluation.gates import outcomes, read_condition, rival_name
from rnncli.evaluation.labels.report import LabelReport
from rnncli.evaluation.labels.run import Asked, Labelled, evaluate_classes, evaluate_numbers
from rnncli.evaluation.labels.scores import Groups
from rnncli.evaluation.paired import mcnemar
from rnncli.metrics.labels import accuracy, log_loss
from rnncli.outline import as_text

CLASSES = ("cat", "dog", "owl")


def noise(seed: int, count: int, *, per_step: bool = False) -> Sequences:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(5, 15, count))])
    return Sequences(rng.normal(size=(offsets[-1], 2)), offsets, (0, 0), per_step)


def said(labels: np.ndarray, right: float, seed: int = 0, classes: int = 3) -> np.ndarray:
    """Probabilities of a model that is right in this share of the labels."""
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random(len(labels)) < right, labels, (labels + 1) % classes)
    return np.eye(classes)[codes] * 0.7 + 0.1


def report(right: float = 0.9, count: int = 60, *, per_step: bool = False, **about: object) -> LabelReport:
    trained, asked = noise(1, 45, per_step=per_step), noise(2, count, per_step=per_step)
    labels, truth = (
        np.random.default_rng(seed).integers(0, 3, one.carriers) for seed, one in ((3, trained), (4, asked))
    )
    return evaluate_classes(Asked(asked, truth, **about), said(truth, right), CLASSES, Labelled(trained, labels))


# What is scored


def test_the_model_comes_first_and_the_baselines_for_classes_follow() -> None:
    assert list(report().scores) == ["model", "majority", "logistic regression", "dtw"]
    assert list(report(per_step=True).scores) == ["model", "majority", "logistic regression"]


def test_scores_are_those_of_the_labels_that_there_are() -> None:
    data, labels = noise(5, 30), np.arange(30) % 3
    hidden = np.where(np.arange(30) < 20, labels, -1)
    made = said(labels, 0.8)
    found = evaluate_classes(Asked(data, hidden), made, CLASSES, None)
    assert (found.sequences, found.labels, found.unlabelled) == (20, 20, 10)
    assert found.model_scores["accuracy"] == accuracy(labels[:20], made[:20])
    assert found.model_scores["log_loss"] == log_loss(labels[:20], made[:20])
    assert list(found.scores) == ["model"]


def test_a_class_that_training_never_saw_can_only_be_wrong_and_is_named() -> None:
    data, labels = noise(6, 40), np.arange(40) % 4
    found = evaluate_classes(Asked(data, labels), said(labels % 3, 1.0), (*CLASSES, "eel"), Labelled(data, labels % 3))
    assert found.unseen == ("eel",)
    assert found.model_scores["accuracy"] == 0.75
    assert found.scores["majority"].overall["log_loss"] > -0.25 * math.log(1e-15)
    row = found.class_rows()[-4]
    assert (row["class"], row["count"], row["precision"], row["recall"]) == ("eel", 10, None, 0.0)
    assert ("new classes", "eel") in found.facts()


def test_every_group_has_scores_of_its_own() -> None:
    groups = Groups("farm", ("north", "south", "empty"), np.arange(60) % 2)
    found = report(groups=groups)
    rows = found.group_rows()
    assert [(row["group"], row["forecaster"]) for row in rows[:2]] == [("north", "model"), ("north", "majority")]
    both = [row["accuracy"] for row in rows if row["forecaster"] == "model"]
    assert (len(both), sum(both) / 2) == (2, pytest.approx(found.model_scores["accuracy"]))
    assert {row["labels"] for row in rows} == {30}


def test_the_confusion_matrix_names_its_classes() -> None:
    rows = report().confusion_rows()
    assert [row["class"] for row in rows] == list(CLASSES)
    assert sum(row[f"said_{name}"] for row in rows for name in CLASSES) == 60
    right = sum(row[f"said_{row['class']}"] for row in rows)
    assert right / 60 == pytest.approx(report().model_scores["accuracy"])


def test_numbers_are_scored_by_errors_and_quantiles() -> None:
    trained, asked = noise(7, 80), noise(8, 50)
    sums = [
        np.array([part.sum() for part in np.split(one.values[:, 0], one.offsets[1:-1])]) for one in (trained, asked)
    ]
    levels = (0.1, 0.5, 0.9)
    made = sums[1][:, None] + np.array([-0.1, 0.05, 0.1])
    found = evaluate_numbers(Asked(asked, sums[1]), made, levels, Labelled(trained, sums[0]))
    assert list(found.scores) == ["model", "training quantiles", "ridge regression"]
    assert found.metrics == ("mae", "rmse", "wql", "coverage_80")
    assert found.model_scores["mae"] == pytest.approx(0.05)
    assert found.model_scores["coverage_80"] == 1
    losses = [0.1 * 0.1, 0.5 * 0.05, 0.1 * 0.1]
    assert found.model_scores["wql"] == pytest.approx(2 * np.mean(losses) / np.abs(sums[1]).mean())
    rival = found.against("training quantiles")
    assert rival.better(0.01)
    assert rival.difference == pytest.approx(
        found.model_scores["wql"] - found.scores["training quantiles"].overall["wql"]
    )
    assert found.class_rows() == found.confusion_rows() == []


# The document and the outline


def test_the_document_has_scores_where_every_task_has_them() -> None:
    document = json.loads(
        json.dumps(report(groups=Groups("g", ("a",), np.zeros(60, int))).to_json(by="group"), allow_nan=False)
    )
    assert document["schema"] == "rnncli.evaluate/1"
    assert document["scores"]["model"]["accuracy"] > document["scores"]["majority"]["accuracy"]
    assert list(document["scores"]["model"]) == [
        "accuracy", "balanced_accuracy", "macro_f1", "auc", "log_loss", "calibration_error",
    ]  # fmt: skip
    assert document["by_class"]["model"][0]["class"] == "cat"
    assert np.array(document["confusion"]["dtw"]).sum() == 60
    assert {found["rival"] for found in document["comparisons"]} == {"majority", "logistic regression", "dtw"}
    assert document["by_group"][0]["group"] == "a"


def test_what_is_undefined_is_null() -> None:
    data = noise(9, 12)
    found = evaluate_classes(Asked(data, np.zeros(12, np.int64)), said(np.zeros(12, int), 1.0), CLASSES, None)
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["scores"]["model"]["auc"] is None
    assert document["by_class"]["model"][2] == {
        "class": "owl",
        "count": 0,
        "precision": None,
        "recall": None,
        "f1": None,
    }
    nothing = evaluate_classes(
        Asked(data, np.full(12, -1)), said(np.zeros(12, int), 1.0), CLASSES, Labelled(data, np.zeros(12, int))
    )
    assert json.loads(json.dumps(nothing.to_json(), allow_nan=False))["scores"]["model"]["accuracy"] is None


def test_the_outline_tells_what_was_scored_and_against_whom() -> None:
    text = as_text(report().outline())
    assert "60 sequences" in text
    assert "McNemar's exact test" in text
    assert text.count("majority") == 2  # a row of scores, and a comparison


def test_sequences_that_training_saw_mark_the_model_in_sample() -> None:
    seen = np.arange(60) == 3
    found = report(dishonest=seen)
    assert found.in_sample is True
    assert [row["in_sample"] for row in found.rows()] == [True, False, False, False]
    assert report(dishonest=np.zeros(60, bool)).in_sample is False
    assert report().in_sample is None


def test_too_much_work_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "MOST", 10)
    found = report()
    assert "dtw" not in found.scores
    assert "more than 10" in found.to_json()["left_out"]["dtw"]
    gate = outcomes(found, [], ["dtw"], 0.05)[0]
    assert not gate.passed
    assert "left out" in gate.reason


def test_shapes_that_do_not_fit_are_our_bug() -> None:
    data = noise(10, 6)
    with pytest.raises(RnncliError, match="labels"):
        evaluate_classes(Asked(data, np.zeros(6, int)), np.ones((5, 3)), CLASSES, None)
    with pytest.raises(RnncliError, match="6 sequences or steps"):
        Labelled(data, np.zeros(7, int))
    with pytest.raises(RnncliError, match="levels"):
        evaluate_numbers(Asked(data, np.zeros(6)), np.ones((6, 2)), (0.1, 0.5, 0.9), None)


# Who is better


def test_mcnemars_test_is_the_binomials_tail() -> None:
    ours, theirs = np.array([1] * 8 + [0] * 2 + [1] * 50, bool), np.array([0] * 8 + [1] * 2 + [1] * 50, bool)
    assert mcnemar(ours, theirs) == pytest.approx((45 + 10 + 1) / 1024)  # 8, 9 or 10 heads of 10
    assert mcnemar(ours, ours) == 1.0
    assert mcnemar(theirs, ours) == pytest.approx(1 - (10 + 1) / 1024)
    assert mcnemar(np.repeat(ours, 200), np.repeat(theirs, 200)) < 1e-150


def test_where_neither_is_better_at_most_one_in_twenty_is_called_so() -> None:
    rng = np.random.default_rng(11)
    called = sum(mcnemar(*(rng.random((2, 80)) < 0.7)) < 0.05 for _ in range(1000))
    assert 0.01 < called / 1000 <= 0.06


def test_a_model_is_compared_by_accuracy_first_and_by_log_loss() -> None:
    found = report()
    first, second = found.comparisons["majority"]
    difference = {name: found.scores[name].overall for name in ("model", "majority")}
    for test, metric in ((first, "accuracy"), (second, "log_loss")):
        assert test.metric == metric
        assert test.difference == pytest.approx(difference["model"][metric] - difference["majority"][metric])
        assert test.better(0.01)
    assert not report(right=0.05).against("majority").better(0.5)


def test_steps_of_a_sequence_are_no_more_evidence_than_the_sequence() -> None:
    """A model whose sequences are right or wrong as a whole, no more often than the majority."""
    rng, called = np.random.default_rng(12), 0
    for _ in range(60):
        data = Sequences(np.zeros((20 * 50, 1)), np.arange(21) * 50, (0,), per_step=True)
        truth = np.repeat(rng.integers(0, 2, 20), 50)
        guess = np.repeat(rng.integers(0, 2, 20), 50)
        found = evaluate_classes(
            Asked(data, truth), np.eye(2)[guess] * 0.8 + 0.1, ("a", "b"), Labelled(data, np.zeros(1000, int))
        )
        called += found.against("majority").better(0.05)
    assert called <= 8  # by steps, half of those that are above would be
    assert found.against("majority").method == "bootstrap over sequences"
    difference = found.model_scores["accuracy"] - found.scores["majority"].overall["accuracy"]
    assert found.against("majority").difference == pytest.approx(difference)


# Gates


def test_gates_know_the_metrics_and_baselines_of_labels() -> None:
    conditions = [read_condition(text, "labels") for text in ("accuracy<0.8", "log_loss>0.1", "macro_f1<0.1")]
    rivals = [rival_name(name, "labels") for name in ("majority", "logistic-regression")]
    found = outcomes(report(), conditions, rivals, 0.05)
    assert [gate.passed for gate in found] == [True, False, True, True, True]
    assert found[3].facts["accuracy_difference"] > 0
    assert found[3].reason.startswith("accuracy differs by ")
    assert not outcomes(report(right=0.2), [], ["majority"], 0.05)[0].passed


def test_names_of_another_task_are_answered_with_near_ones() -> None:
    with pytest.raises(UsageError) as caught:
        read_condition("acuracy<1", "labels")
    assert caught.value.hint == "did you mean accuracy?"
    with pytest.raises(UsageError, match="no metric 'mase'"):
        read_condition("mase>1", "labels")
    with pytest.raises(UsageError, match="no metric 'accuracy'"):
        read_condition("accuracy<1", "forecast")
    with pytest.raises(UsageError) as caught:
        rival_name("majorty", "labels")
    assert caught.value.hint == "did you mean majority?"


def test_a_baseline_or_metric_for_the_other_kind_of_label_is_an_error_of_usage() -> None:
    with pytest.raises(UsageError, match="no baseline 'ridge regression'"):
        outcomes(report(), [], [rival_name("ridge-regression", "labels")], 0.05)
    with pytest.raises(UsageError, match="no metric 'mae'"):
        outcomes(report(), [read_condition("mae>1", "labels")], [], 0.05)


def test_in_sample_scores_pass_no_gate() -> None:
    found = replace(report(), dishonest=np.ones(60, bool))
    assert not outcomes(found, [read_condition("accuracy<0", "labels")], [], 0.05)[0].passed
