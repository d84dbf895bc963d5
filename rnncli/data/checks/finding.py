"""What a check finds: how bad it is, how often it is so, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
SHOWN = 3  # examples of a finding


@dataclass(frozen=True)
class Example:
    """One case: the series and time, the place in the file, and what is there, as far as each is known.

    `weight` is how bad it is, where the worst are shown first.
    """

    series: str | None = None
    time: str | None = None
    where: str | None = None
    says: str = ""
    weight: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {"series": self.series, "time": self.time, "where": self.where, "says": self.says or None}

    def __str__(self) -> str:
        series = "" if self.series is None else f"series {self.series!r}"
        time = "" if self.time is None else f"at {self.time}"
        place = " ".join(part for part in (series, time) if part)
        where = f"({self.where})" if self.where and place else self.where or ""
        place = " ".join(part for part in (place, where) if part)
        return ": ".join(part for part in (place, self.says) if part)


@dataclass(frozen=True)
class Finding:
    """`count` cases of what the check `id` looks for; errors are what training or the model refuses, or leaks."""

    severity: Severity
    what: str
    count: int
    examples: tuple[Example, ...]
    remedy: str
    id: str = ""

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {
            "id": self.id,
            "severity": self.severity,
            "what": self.what,
            "count": self.count,
            "examples": [example.to_json() for example in self.examples],
            "remedy": self.remedy,
        }
