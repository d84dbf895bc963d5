"""A head that attends to earlier outputs: it reads what it should, begins as one that does not, and learns from it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

import rnncli
from rnncli.data.panel import Panel
from rnncli.layers.encoder import encoder_shapes
from rnncli.nn.initialise import initialise_encoder
from rnncli.nn.network import encode
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast import attended
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.plan import Plan
from rnncli.training.session import initial_weights, objective_for
from rnncli.workflows.options import column_choices
from rnncli.workflows.train import make_plan

Run = Callable[..., subprocess.CompletedProcess[str]]
SEQUENCES, STEPS, HIDDEN, REACH = 4, 17, 5, 6
ROWS, ORIGINS = torch.tensor([2, 0, 2, 3, 2, 0]), torch.tensor([16, 3, 0, 9, 5, 12])


def drawn(dtype: Any = torch.float64) -> tuple[dict[str, Tensor], Tensor]:
    """Weights that nothing hides behind, and outputs of an encoder."""
    generator = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(shape, generator=generator) for name, shape in attended.shapes(HIDDEN).items()}
    outputs = torch.randn((SEQUENCES, STEPS, HIDDEN), generator=generator)
    return {name: weight.to(dtype) for name, weight in weights.items()}, outputs.to(dtype)


# What is read


def test_each_origin_reads_the_outputs_within_its_reach_as_scaled_dot_product_attention_does() -> None:
    weights, outputs = drawn()
    made = attended.read(weights, outputs, ROWS, ORIGINS, REACH, torch)
    for place, (row, origin) in enumerate(zip(ROWS.tolist(), ORIGINS.tolist(), strict=True)):
        near = outputs[row, max(0, origin + 1 - REACH) : origin + 1]
        query = outputs[row, origin] @ weights[attended.QUERY].T
        read = scaled_dot_product_attention(query[None], near @ weights[attended.KEY].T, near)[0]
        expected = outputs[row, origin] + read @ weights[attended.READ].T
        np.testing.assert_allclose(made[place].numpy(), expected.numpy(), rtol=0, atol=1e-12)


def test_torch_and_numpy_read_the_same() -> None:
    weights, outputs = drawn(torch.float32)
    ours = attended.read(weights, outputs, ROWS, ORIGINS, REACH, torch).numpy()
    own = {name: weight.numpy() for name, weight in weights.items()}
    theirs = attended.read(own, outputs.numpy(), ROWS.numpy(), ORIGINS.numpy(), REACH, np)
    np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-5)


def test_what_comes_after_an_origin_or_lies_beyond_its_reach_changes_no_bit() -> None:
    weights, outputs = drawn(torch.float32)
    other = outputs.clone()
    for row in range(SEQUENCES):
        asked = ORIGINS[row == ROWS].tolist()
        near = {step for origin in asked for step in range(max(0, origin + 1 - REACH), origin + 1)}
        other[row, [step for step in range(STEPS) if step not in near]] = 99
    assert not torch.equal(other, outputs)
    for xp, part in ((torch, lambda x: x), (np, lambda x: x.numpy())):
        own = {name: part(weight) for name, weight in weights.items()}
        made = [attended.read(own, part(x), part(ROWS), part(ORIGINS), REACH, xp) for x in (outputs, other)]
        assert np.asarray(made[0]).tobytes() == np.asarray(made[1]).tobytes()


def test_its_gradient_is_what_finite_differences_say() -> None:
    weights, outputs = drawn()
    leaves = [outputs.requires_grad_(), *(weight.requires_grad_() for weight in weights.values())]

    def made(outputs: Tensor, *own: Tensor) -> Tensor:
        read: Tensor = attended.read(dict(zip(weights, own, strict=True)), outputs, ROWS, ORIGINS, REACH, torch)
        return read

    assert torch.autograd.gradcheck(made, leaves)


def test_a_batch_without_a_question_is_read_too() -> None:
    weights, outputs = drawn()
    assert attended.read(weights, outputs, ROWS[:0], ORIGINS[:0], REACH, torch).shape == (0, HIDDEN)


def test_origins_of_a_long_sequence_are_read_without_a_copy_of_it_for_each() -> None:
    weights, _ = drawn(torch.float32)
    outputs, kept = torch.zeros((1, 20_000, HIDDEN), requires_grad=True), [0]
    origins = torch.arange(0, 20_000, 200)

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        attended.read(weights, outputs, torch.zeros_like(origins), origins, 512, torch)
    assert max(kept) == len(origins) * 20_000  # and not times the units, as copies would be


# How it begins


def planned(data: Path, **options: Any) -> tuple[Any, Plan[Any]]:
    asked: TrainOptions = {"horizon": 5, "steps": 3, **options}
    loaded = TASK.load_to_train(data, column_choices(asked), asked, None, lambda _: None)
    return loaded, make_plan(loaded, asked)


def first_said(loaded: Any, plan: Plan[Any]) -> Any:
    """What the network of a plan says of the held-out rows before its first step."""
    holdout = TASK.hold_out(loaded.panel, plan.spec)
    return objective_for(loaded.panel, plan, "cpu", holdout, 0).validation(initial_weights(plan), holdout).quantiles


@pytest.mark.parametrize("options", [{}, {"from_scratch": True}, {"cell": "gru,rnn"}], ids=["base", "scratch", "cells"])
def test_a_new_network_forecasts_as_one_without_attention(sample_data: Path, options: dict[str, Any]) -> None:
    loaded, plan = planned(sample_data / "us_employment.csv", attention=True, **options)
    _, without = planned(sample_data / "us_employment.csv", **options)
    assert (plan.spec.attended, without.spec.attended) == (plan.spec.steps, 0)
    own, theirs = initial_weights(plan), initial_weights(without)
    assert {name.removeprefix("head.") for name in own.keys() - theirs.keys()} == set(attended.shapes(1))
    assert all(torch.equal(own[name], weight) for name, weight in theirs.items())
    assert first_said(loaded, plan).tobytes() == first_said(loaded, without).tobytes()


def test_how_far_back_it_reads_is_bounded(sample_data: Path) -> None:
    _, plan = planned(sample_data / "co2_weekly.csv", attention=True, context=1_500)
    assert (plan.spec.steps, plan.spec.attended) == (1_500, 1_024)


def test_it_learns_what_the_same_network_without_it_does_not() -> None:
    """To recall a sign that was marked thirty steps and more ago."""
    steps, units, batch = 40, 8, 32

    def last_losses(reach: int) -> float:
        network = NetworkSpec("gru", "tanh", 1, units, 0.0, True, "orthogonal", 2)
        generator = torch.Generator().manual_seed(0)
        weights = {name: torch.zeros(shape) for name, shape in encoder_shapes(network).items()}
        initialise_encoder(network, weights, generator)
        weights |= {name: torch.zeros(shape) for name, shape in attended.shapes(units).items()}
        weights |= {name: torch.as_tensor(first).clone() for name, first in attended.begin(units).items()}
        weights["answer"] = 0.1 * torch.randn((1, units), generator=generator)
        optimiser = torch.optim.Adam([weight.requires_grad_() for weight in weights.values()], lr=2e-2)
        rows, origins, losses = torch.arange(batch), torch.full((batch,), steps - 1), []
        for _ in range(120):
            x = torch.zeros((batch, steps, 2))
            x[..., 0] = torch.randint(0, 2, (batch, steps), generator=generator) * 2.0 - 1
            marked = torch.randint(0, 10, (batch,), generator=generator)
            x[rows, marked, 1] = 1
            state = attended.read(weights, encode(weights, network, x), rows, origins, reach, torch)
            loss = ((state @ weights["answer"].T)[:, 0] - x[rows, marked, 0]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return float(np.mean(losses[-20:]))

    assert last_losses(0) > 0.9  # 1 is the loss of who says 0
    assert last_losses(steps) < 0.1


# Model files, and what they are asked


@pytest.fixture(scope="module")
def jobs(run_rnncli: Run, sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with attention that took a few steps."""
    path = tmp_path_factory.mktemp("attended") / "jobs.safetensors"
    done = run_rnncli(
        "train", sample_data / "us_employment.csv", "--horizon", 5, "--steps", 2, "--attention", "-o", path
    )
    assert done.returncode == 0, done.stderr
    return path


def test_info_says_how_many_outputs_are_read(run_rnncli: Run, jobs: Path) -> None:
    assert "attention over the last 48 outputs" in " ".join(run_rnncli("info", jobs).stdout.split())
    assert rnncli.info(jobs).settings["attention"] is True


def test_a_state_forecasts_the_same_in_one_run_and_in_two(
    run_rnncli: Run, jobs: Path, sample_data: Path, tmp_path: Path
) -> None:
    data, made = sample_data / "us_employment.csv", {}
    for name, runs in (("one", [()]), ("two", [("--as-of", "2013-07-01"), ()])):
        for more in runs:
            state = ("--state", tmp_path / f"{name}.safetensors")
            done = run_rnncli("predict", data, "-m", jobs, *state, *more)
            assert done.returncode == 0, done.stderr
        made[name] = done.stdout, (tmp_path / f"{name}.safetensors").read_bytes()
    assert made["one"] == made["two"]


@pytest.mark.parametrize("file", ["format1.safetensors", "format2.safetensors", "format3.safetensors"])
def test_files_of_before_are_read_as_models_without_it(file: str) -> None:
    spec = rnncli.info(Path(__file__).parents[2] / "golden" / file).model.spec
    assert (spec.attended, spec.attends) == (0, False)


def test_a_description_without_the_field_is_one_without_attention(jobs: Path) -> None:
    spec = rnncli.info(jobs).model.spec
    said = spec.to_json()
    del said["attended"]
    assert ForecastSpec.from_json(said) == dataclasses.replace(spec, attended=0)


def test_a_training_goes_on_with_the_attention_of_its_model(jobs: Path, sample_data: Path) -> None:
    data = sample_data / "us_employment.csv"
    assert rnncli.train(data, warm_start=jobs, steps=1).model.spec.attends
    assert rnncli.train(data, warm_start="base", attention=True, steps=1, horizon=4).model.spec.attends


def test_a_refit_keeps_it(jobs: Path, sample_data: Path) -> None:
    loaded, plan = planned(sample_data / "us_employment.csv", attention=True)
    again = TASK.planned_again(loaded, rnncli.info(jobs).model)
    assert again.spec.attended == plan.spec.attended
    assert again.first is not None
    assert plan.first is not None
    assert {name: w.tobytes() for name, w in again.first.items()} == {n: w.tobytes() for n, w in plan.first.items()}


@pytest.mark.parametrize(("flags", "wanted"), [((), True), (("--no-attention",), False)])
def test_what_the_environment_turns_on_a_flag_turns_off(
    run_rnncli: Run, environment: dict[str, str], sample_data: Path, flags: tuple[str, ...], wanted: bool
) -> None:
    words = ("config", "show", "train", sample_data / "us_employment.csv", *flags, "--json")
    done = run_rnncli(*words, env=environment | {"RNNCLI_ATTENTION": "1"})
    (rows,) = json.loads(done.stdout)["commands"].values()
    assert {row["setting"]: row["value"] for row in rows}["attention"] is wanted


# What is refused


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("us_employment.csv", "--tbptt", "8"), "--tbptt learns from stretches of a series, and --attention reads"),
        (("digits.csv", "--label", "digit"), "--attention is for forecasts, and --label asks for labels"),
        (("digits.csv", "--token", "digit"), "--attention is for forecasts, and --token"),
        (("moving_digits.parquet", "--frame", "frame"), "--attention is for forecasts, and --frame"),
    ],
)
def test_where_it_means_nothing_it_is_refused(
    run_rnncli: Run, sample_data: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    done = run_rnncli("train", sample_data / words[0], *words[1:], "--attention", "-o", tmp_path / "m.safetensors")
    assert (done.returncode, done.stdout, says in done.stderr) == (2, "", True), done.stderr
    assert "hint: leave" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--tbptt", "8"), "--tbptt learns from stretches of a series, and --attention reads"),
        (("--attention",), "--attention describes a model, but --warm-start gives one"),
        (("--no-attention",), "--no-attention asks for another network than --warm-start gives"),
    ],
)
def test_a_model_to_go_on_from_decides_on_it(
    run_rnncli: Run, jobs: Path, sample_data: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    data, output = sample_data / "us_employment.csv", tmp_path / "m.safetensors"
    done = run_rnncli("train", data, "--warm-start", jobs, *words, "-o", output)
    assert (done.returncode, done.stdout, says in done.stderr) == (2, "", True), done.stderr
    assert not output.exists()


def test_a_file_that_claims_to_attend_to_more_than_its_context_is_refused(jobs: Path, tmp_path: Path) -> None:
    model = rnncli.info(jobs).model
    path = tmp_path / "m.safetensors"
    dataclasses.replace(model, spec=dataclasses.replace(model.spec, attended=model.spec.steps + 1)).save(path)
    with pytest.raises(rnncli.ModelRefused, match="attends to more than its context"):
        rnncli.info(path)


def test_a_number_of_outputs_that_is_none_is_refused(weekly_waves: Panel, untrained: Callable[..., Any]) -> None:
    spec = untrained(weekly_waves)[0].spec
    for wrong in (-1, 1 << 23):
        with pytest.raises(rnncli.UsageError, match="attended must lie between 0 and"):
            dataclasses.replace(spec, attended=wrong)
