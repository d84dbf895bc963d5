"""The identity of a training, as one number: the same data, settings and versions give the same one."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rnncli
from rnncli.data.channel import vocabularies
from rnncli.data.frames.block import PIECE
from rnncli.data.load import Loaded
from rnncli.tasks.plan import Plan


def request_of(loaded: Loaded, plan: Plan[Any]) -> str:
    """SHA-256 over the panel, the plan with the weights that it begins with, and the versions of what computes."""
    panel = loaded.panel
    asked = {
        "columns": loaded.columns.to_json(),
        "calendar": panel.calendar.to_json(),
        "channels": panel.channel_names,
        "categories": vocabularies(panel.channels),
        "network": plan.network.to_json(),
        plan.task.name: plan.spec.to_json(),
        "training": plan.training.to_json(),
        "candidates": len(plan.candidates),
        **({"afresh": True} if plan.refit.afresh else {}),
        "versions": {"rnncli": rnncli.__version__, **{name: version(name) for name in ("numpy", "torch")}},
        "ids": panel.ids,
    }
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    for array in (panel.values, panel.offsets, panel.starts, panel.phases):
        _add(digest, array)
    for block in panel.blocks.values():
        for part in block.parts:
            for begin in range(0, len(part), some := max(1, PIECE // part[0].nbytes)):
                _add(digest, part[begin : begin + some])
    for name, weight in sorted((plan.first or {}).items()):
        digest.update(name.encode())
        _add(digest, weight)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, array: NDArray[Any]) -> None:
    digest.update(np.ascontiguousarray(array).view(np.uint8).data)
