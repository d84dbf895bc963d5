"""What a search has found, in words: of the record that a model keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNSURE = 0.05  # from which chance on it is said that this may be chance


def told(record: Mapping[str, Any]) -> str:
    """A search in a line."""
    trials = f"{record['trials']:,} trials, {record['pruned']:,} cut short"
    best, loss, usual = settings_told(record["settings"]), record["loss"], record["default_loss"]
    if usual is None:
        return f"{trials}: {best}, held-out loss {loss:.4g}"
    if record["settings"] == record["default"]:
        return f"{trials}: none was better than the default, held-out loss {loss:.4g}"
    losses = f"held-out loss {loss:.4g} against {usual:.4g}{_chance(record)}"
    if record["default_as_good"]:
        return f"{trials}: the default was as good and is kept; the best was {best} ({losses})"
    return f"{trials}: {best} is better than the default ({losses})"


def _chance(record: Mapping[str, Any]) -> str:
    if record["p"] is None:
        return ""
    unsure = ": this may be chance" if record["p_over_trials"] > UNSURE else ""
    return f", p = {record['p']:.2g}, {record['p_over_trials']:.2g} as the best of all{unsure}"


def settings_told(settings: Mapping[str, Any]) -> str:
    """Settings as people read them: cell gru, layers 2."""
    return ", ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in settings.items())


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
