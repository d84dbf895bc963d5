"""Commands that make a model and its scores again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, cast

from rnncli.cells.named import chooses_activation
from rnncli.errors import RnncliError, without_secrets
from rnncli.events import unheard
from rnncli.options import table
from rnncli.options.option import REPEATED, SWITCH
from rnncli.options.types import ColumnOptions, TrainOptions
from rnncli.tasks.reading import listed
from rnncli.workflows.options import column_choices
from rnncli.workflows.request import request_of

_TABLE = "TABLE"  # stands for what has no path
_OF_REGION = "holidays "  # before the region, in the names of a model's covariates


def command(name: str, data: Any, settings: Mapping[str, Any], *more: str) -> str:
    """A command on data as it is typed, with every setting that says something, whether it was said or found; *** is
    in the place of secrets.
    """
    said = [part for option in table.of_command(name) for part in _flag(option, settings.get(option.name))]
    return shlex.join(map(without_secrets, ["rnncli", name, *paths(data), *more, *said]))


def paths(data: Any) -> list[str]:
    """The paths of data as they were given."""
    return [os.fspath(item) if isinstance(item, (str, os.PathLike)) else _TABLE for item in listed(data)]


def training_of(model: Any, data: Any, columns: ColumnOptions) -> dict[str, Any] | None:
    """The options by which `train` makes this very model of data that are read so, None where none are known: of other
    data, by other versions, from another model or by the clock, it was made in a way that cannot be repeated.
    """
    options = columns | _options_of(model)
    return options if find_spec("torch") is not None and _makes(model, data, options) else None


def _options_of(model: Any) -> dict[str, Any]:
    settled: dict[str, Any] = model.settings() | table.settled({"network": model.network, "training": model.training})
    if not chooses_activation(model.network.cell):
        del settled["activation"]
    return settled | _covariates(model, settled)


def _covariates(model: Any, settled: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for of covariates: a model keeps none that validation left out, and of these it only has the
    names, those known ahead apart.
    """
    found = model.record.get("covariates")
    if found is None:
        return {"keep_covariates": any(settled[name] for name in ("past", "future", "static", "holidays"))}
    if found["kept"]:
        return {}
    ahead = model.spec.left_out
    regions = tuple(name.removeprefix(_OF_REGION) for name in found["names"] if name.startswith(_OF_REGION))
    past = tuple(name for name in found["names"] if name not in ahead and not name.startswith(_OF_REGION))
    return {"past": past, "future": ahead, "holidays": regions or None}


def _makes(model: Any, data: Any, options: Mapping[str, Any]) -> bool:
    """Whether training with these options has the request that the model was made from."""
    wanted = cast("TrainOptions", options)
    try:
        loaded = model.task.load_to_train(data, column_choices(cast("ColumnOptions", options)), wanted, None, unheard)
        plan = model.task.planned(loaded, wanted)
    except RnncliError:
        return False
    return bool(request_of(loaded, plan) == model.record.get("request"))


def _flag(option: Any, value: Any) -> Iterator[str]:
    """An option as it is typed, nothing where it says nothing."""
    if value is None or value is option.on or value in ((), [], ""):
        return
    flag = f"--{option.key}"
    if option.kind is SWITCH:
        yield f"--no-{option.key}" if option.on else flag
    elif option.kind is REPEATED:
        yield from (part for one in value for part in (flag, str(one)))
    else:
        yield flag
        yield ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
