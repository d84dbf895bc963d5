"""`inspect-gradients` of labels: how far back a label's gradient reaches, by direction, in its own words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import torch

from rnncli.model import load
from rnncli.spec import ColumnChoices
from rnncli.tasks.plan import Plan
from rnncli.workflows.probe import Probe, choose
from tests.conftest import Run


def test_a_label_s_gradient_is_reported_by_direction_and_without_seasons(
    run_rnncli: Run, others: Path, label_model: Path
) -> None:
    refused = run_rnncli("inspect-gradients", others, "-m", label_model, "--label", "label")
    assert (refused.returncode, "--label describes a model, but -m gives one" in refused.stderr) == (2, True)
    done = run_rnncli("inspect-gradients", others, "-m", label_model, "--quick")
    assert done.returncode == 0, done.stderr
    assert "layer 1 backward" in done.stdout
    assert "a step is a row" in done.stdout
    assert re.search(r"of that of \d+ sequences", done.stdout)
    assert not {"season", "horizon", "origins", "forecast"} & set(done.stdout.split())


def test_an_untrained_network_is_inspected_and_remedies_are_tried(run_rnncli: Run, labelled_table: Path) -> None:
    options = ("--label", "label", "--channels", "x,y", "--hidden", "4", "--cell", "rnn", "--init", "uniform")
    done = run_rnncli(
        "inspect-gradients",
        labelled_table,
        *options,
        "--per-step",
        "--quick",
        "--series",
        4,
        "--try-steps",
        2,
        "--json",
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["trials"] is not None
    assert not {"seasons", "horizon"} & set(document)
    refused = run_rnncli("inspect-gradients", labelled_table, "--label", "label", "--horizon", 3)
    assert (refused.returncode, "--horizon is for forecasts" in refused.stderr) == (2, True)


def test_sequences_of_a_label_are_looked_at_whole_from_their_end(others: Path, label_model: Path) -> None:
    model = load(label_model)
    loaded = model.task.load_known(str(others), ColumnChoices(), model, lambda _: None)
    plan = Plan(model.task, model.network, model.spec, model.training)
    rows = choose(loaded.panel, plan, 6, 48)
    assert np.array_equal(rows.origins, loaded.panel.lengths[rows.series])
    weights = {name: torch.tensor(weight[0]) for name, weight in model.weights.items()}
    batch = Probe(loaded.panel, plan, weights, trained=True).batch(rows)
    assert batch.inputs.shape == (len(rows.series), rows.steps, model.network.inputs)
