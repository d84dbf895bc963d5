"""The parts of the JSON document: lags and memories in steps, rates per step, shares of 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli.diagnostics import profile
from rnncli.diagnostics.evidence import SEASON, Evidence
from rnncli.diagnostics.finding import Finding, Proposal
from rnncli.diagnostics.gates import Gate, LayerActivity
from rnncli.diagnostics.reach import Reach
from rnncli.diagnostics.resampling import mean_interval
from rnncli.diagnostics.verdict import RULES

SERIES_LISTED = 20
KEPT_AT = (0.0, 0.25, 0.5, 0.75, 1.0)


def rules() -> dict[str, str]:
    """The meaning of each verdict."""
    return dict(RULES)


def subject(evidence: Evidence) -> dict[str, Any]:
    """The network and what was looked at."""
    of, groups = evidence.subject, evidence.groups
    seasons = {"seasons": list(of.lags_that_matter)} if of.lag_name == SEASON else {}
    return {
        "cell": of.cell,
        "activation": of.activation,
        "hidden": of.hidden,
        "dropout": of.dropout,
        "init": of.init,
        "trained": of.trained,
        "context": of.context,
        **({} if of.horizon is None else {"horizon": of.horizon}),
        **seasons,
        "lags_that_matter": list(of.lags_that_matter),
        "learning_rate": of.learning_rate,
        "clip": of.clip,
        "series": len(np.unique(groups)),
        "origins": len(groups),
        "loss": evidence.flow.loss,
        "loss_interval_90": mean_interval(evidence.flow.losses, groups),
    }


def layer(evidence: Evidence, index: int) -> dict[str, Any]:
    """Everything about one layer, or one direction of a bidirectional one: the `index`th of `flow.layers`."""
    verdict, flow = evidence.verdicts[index], evidence.flow.layers[index]
    own = flow.own
    half_life, matter = flow.half_life, evidence.subject.lags_that_matter
    lags = (*matter, flow.lags - 1)
    in_seasons = {str(m): half_life / m if half_life else None for m in matter}
    return {
        "layer": flow.layer,
        "direction": flow.direction or None,
        "verdict": verdict.name,
        "reason": verdict.reason,
        "number": verdict.number,
        "lag": verdict.lag,
        "decay_per_step": flow.decay_rate,
        "decay_per_step_interval_90": flow.decay_interval,
        "half_life_steps": half_life,
        **({"half_life_seasons": in_seasons} if evidence.subject.lag_name == SEASON else {}),
        "gone_from_lag": flow.gone,
        "share_left": [
            {"lag": lag, "share": flow.share_left(lag), "interval_90": flow.share_interval(lag)} for lag in lags
        ],
        "alone": {
            "share_left": [
                {"lag": lag, "share": own.share_left(lag), "interval_90": own.share_interval(lag)} for lag in lags
            ],
            "decay_per_step": own.decay_rate,
            "gone_from_lag": own.gone,
            "gradient_by_lag": own.profile().tolist(),
        },
        "reach_50": profile.reach(flow.profile(), 0.5),
        "reach_90": profile.reach(flow.profile(), 0.9),
        "gradient_by_lag": {name: flow.profile(name).tolist() for name in flow.norms},
        "dynamics": _dynamics(evidence, index),
        "activity": _activity(evidence.activity[index], matter),
    }


def _dynamics(evidence: Evidence, index: int) -> dict[str, Any]:
    found = evidence.dynamics[index]
    singular = found.singular
    return {
        "largest_exponent": found.largest,
        "largest_exponent_interval_90": found.largest_interval,
        "exponents": found.spectrum.tolist(),
        "memory_steps": found.memory,
        "slots": {str(m): found.slots(m) for m in evidence.subject.lags_that_matter},
        "singular_values": np.median(singular, axis=0).tolist() if len(singular) else [],
        "spectral_radius": found.radius,
        "largest_recurrent_gain": found.gain,
        "state_size": found.size.mean(axis=1).tolist(),
        "state_growth_per_step": found.growth,
    }


def _activity(found: LayerActivity, lags: tuple[int, ...]) -> dict[str, Any]:
    return {
        "dead": found.dead,
        "stuck": found.stuck,
        "kept_steps": {f"{at:g}": _quantile(found, at) for at in KEPT_AT},
        "keeping": {str(m): found.keeping(m) for m in lags},
        "gates": [_gate(gate) for gate in found.gates],
    }


def _quantile(found: LayerActivity, at: float) -> float | None:
    kept = found.kept
    return float(kept[min(len(kept) - 1, int(at * len(kept)))]) if len(kept) else None


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "gate": gate.name,
        "kind": gate.kind,
        "mean": gate.mean,
        "low": gate.low,
        "high": gate.high,
        "stuck": gate.stuck,
        "histogram": list(gate.histogram),
    }


def memory(evidence: Evidence) -> dict[str, Any]:
    """The loss by context, and the impulse response."""
    found = evidence.memory
    return {
        "used": found.used,
        "cuts": [
            {
                "context": length,
                "loss": float(found.losses[place].mean()),
                "change": found.change(place),
                "change_interval_90": found.change_interval(place),
            }
            for place, length in enumerate(found.lengths)
        ],
        "impulse_response": found.response.tolist(),
        "impulse_length": found.response_length,
        "impulse_finite_after": found.finite,
    }


def reach(found: Reach) -> dict[str, Any]:
    """How far around a pixel the network looks, by lag, in pixels on a side."""
    return {
        "allowed": list(found.allowed),
        "found": list(found.found),
        "effective": list(found.effective),
        "share": found.share.tolist(),
    }


def parameters(evidence: Evidence) -> list[dict[str, Any]]:
    """Every tensor: the gradient of the probed loss, and what a step of training does to it."""
    steps = evidence.steps
    return [
        {
            "tensor": tensor.tensor,
            "gradient_norm": tensor.gradient,
            "weight_norm": tensor.weight,
            "gates": tensor.gates,
            "update_share": steps.update(tensor.tensor) if tensor.tensor in steps.tensors else None,
        }
        for tensor in evidence.flow.tensors
    ]


def training_steps(evidence: Evidence) -> dict[str, Any]:
    """The steps taken from here."""
    steps = evidence.steps
    return {
        "steps": len(steps.watched),
        "losses": [step.loss for step in steps.watched],
        "gradient_norms": list(steps.norms),
        "clipped": steps.clipped,
        "diverged": evidence.diverged or None,
    }


def series(evidence: Evidence) -> list[dict[str, Any]]:
    """The series with the largest losses."""
    shares = evidence.series
    order = np.argsort(-np.nan_to_num(shares.losses, nan=np.inf), kind="stable")[:SERIES_LISTED]
    return [
        {
            "id": shares.ids[s],
            "loss": float(shares.losses[s]),
            "gradient_norm": float(shares.gradients[s]),
            "share_of_loss": shares.share(shares.ids[s], shares.losses),
        }
        for s in order
    ]


def finding(found: Finding) -> dict[str, Any]:
    """One finding."""
    return {
        "check": found.check,
        "severity": found.severity,
        "layer": found.layer,
        "direction": found.direction or None,
        "says": found.says,
        "number": found.number,
        "rule": found.rule,
        "series": list(found.series),
    }


def proposal(made: Proposal) -> dict[str, Any]:
    """One remedy."""
    return {
        "remedy": made.remedy,
        "against": list(made.against),
        "flags": made.flags,
        "options": made.options,
        "why": made.why,
    }
