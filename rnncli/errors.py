"""Every error rnncli raises on purpose, each with its exit code.

RnncliError                 1  a bug of ours
├── UsageError              2  flags or settings that cannot work together
│   └── MissingDependency   2  an optional package is not installed
├── InputRefused            4  the data cannot be used as it is
├── ModelRefused            5  the model file is missing, damaged, incompatible or not ours
├── StorageFailed           8  full, read-only or failing storage
└── TrainingDiverged        9  the loss stopped being a number
"""

from __future__ import annotations


class RnncliError(Exception):
    """What went wrong, where, and what to do about it, each in one line.

    `where` is a place a person can go to: "file.csv:12:3", or "series 'a' at 2024-05-01".
    """

    exit_code = 1
    code = "bug"

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(RnncliError):
    """Flags or settings that cannot work, alone or together."""

    exit_code = 2
    code = "usage"


class MissingDependency(UsageError):
    """An optional package is missing; the hint is the pip line."""

    code = "missing-dependency"


class InputRefused(RnncliError):
    """The data cannot be used as it is."""

    exit_code = 4
    code = "input"


class ModelRefused(RnncliError):
    """The model file is missing, damaged, incompatible or not ours."""

    exit_code = 5
    code = "model"


class StorageFailed(RnncliError):
    """Storage is full, read-only or failing."""

    exit_code = 8
    code = "storage"


class TrainingDiverged(RnncliError):
    """The loss or a gradient stopped being finite."""

    exit_code = 9
    code = "diverged"
