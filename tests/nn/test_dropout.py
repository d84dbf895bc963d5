"""What training leaves out."""

from __future__ import annotations

import torch

from rnncli.layers.encoder import encoder_shapes
from rnncli.nn.dropout import Draws, connections_dropped
from rnncli.nn.initialise import initialise_encoder
from rnncli.nn.network import encode
from rnncli.spec import NetworkSpec


def network(share: float) -> NetworkSpec:
    return NetworkSpec("lstm", "tanh", 2, 8, 0.0, True, "orthogonal", 3, recurrent_dropout=share)


def outputs(share: float, seed: int | None) -> torch.Tensor:
    of = network(share)
    weights = {name: torch.zeros(shape) for name, shape in encoder_shapes(of).items()}
    initialise_encoder(of, weights, torch.Generator().manual_seed(0))
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1))
    return encode(weights, of, x, None if seed is None else Draws(torch.Generator().manual_seed(seed)))


def test_connections_from_step_to_step_are_left_out_with_their_share_and_keep_their_mean() -> None:
    weights = {"weight_hh": torch.ones(400, 100), "weight_ih": torch.ones(400, 3), "bias": torch.ones(400)}
    left = connections_dropped(weights, 0.25, torch.Generator().manual_seed(0))
    torch.testing.assert_close(left["weight_hh"].unique(), torch.tensor([0.0, 1 / 0.75]))
    assert abs(float(left["weight_hh"].mean()) - 1) < 0.02
    assert all(left[name] is weights[name] for name in ("weight_ih", "bias"))


def test_the_first_step_has_no_step_before_it_and_the_later_ones_change() -> None:
    whole, dropped = outputs(0.0, 5), outputs(0.5, 5)
    torch.testing.assert_close(whole[:, 0], dropped[:, 0])
    assert not torch.allclose(whole[:, 1:], dropped[:, 1:])


def test_nothing_is_left_out_of_an_answer() -> None:
    assert torch.equal(outputs(0.0, None), outputs(0.5, None))
