"""Every error rnncli raises on purpose, each with its exit code.

RnncliError                 1  a bug of ours
├── UsageError              2  flags or settings that cannot work together
│   ├── MissingDependency   2  an optional package is not installed
│   └── OutputExists        2  there is a file that is not to be replaced
├── InputRefused            4  the data cannot be used as it is
│   └── SeriesRefused       4  one series of them cannot
├── ModelRefused            5  the model file is missing, damaged, incompatible or not ours
├── InputStale              6  the newest rows are older than they may be
├── GateFailed              7  a score, a comparison or drift is not what was asked for
├── StorageFailed           8  full, read-only or failing storage
├── TrainingDiverged        9  the loss stopped being a number
├── RankLost               10  another process of the same training ended
├── OutputLocked           75  another run is writing the same file
└── TimedOut              124  the time that was allowed is over
"""

from __future__ import annotations

import re

_HINT = "hint: "
_PASSWORD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@?#'\"]*):\S*@")  # up to the last @: a password may hold one
_PARAMETER = re.compile(
    r"([?&](?:(?:ssl)?password|passphrase|sig|signature|token|secret[a-z_-]*|access_key[a-z_-]*|x-amz-[a-z-]+)=)[^&\s'\"]+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text with *** for the passwords, signatures and keys of the URLs in it."""
    if "://" not in text:
        return text
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


class RnncliError(Exception):
    """What went wrong, where, and what to do about it, each in one line; no secret of a URL is in it.

    `where` is a place a person can go to: "file.csv:12:3", or "series 'a' at 2024-05-01". The `hint` is shown below a
    traceback, as a note is.
    """

    exit_code = 1
    code = "bug"

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        message = without_secrets(message)
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = without_secrets(where)

    @property
    def hint(self) -> str:
        """The hint, what to do about it; "" if nobody knows."""
        return self._hint

    @hint.setter
    def hint(self, text: str) -> None:
        self._hint = text = without_secrets(text)
        others = [note for note in getattr(self, "__notes__", ()) if not note.startswith(_HINT)]
        self.__notes__ = [*others, _HINT + text] if text else others

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(RnncliError):
    """Flags or settings that cannot work, alone or together."""

    exit_code = 2
    code = "usage"


class MissingDependency(UsageError):
    """An optional package is missing; the hint is the pip line."""

    code = "missing-dependency"


class OutputExists(UsageError):
    """There is a file where the output should go, and it is not to be replaced."""

    code = "exists"


class InputRefused(RnncliError):
    """The data cannot be used as it is."""

    exit_code = 4
    code = "input"


class SeriesRefused(InputRefused):
    """One series cannot be used as it is; the others may be."""

    def __init__(self, message: str, series: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint, where=where)
        self.series = series


class ModelRefused(RnncliError):
    """The model file is missing, damaged, incompatible or not ours."""

    exit_code = 5
    code = "model"


class InputStale(RnncliError):
    """The newest rows are older than they may be."""

    exit_code = 6
    code = "stale"


class GateFailed(RnncliError):
    """A score, a comparison or drift is not what was asked for."""

    exit_code = 7
    code = "gate"


class StorageFailed(RnncliError):
    """Storage is full, read-only or failing."""

    exit_code = 8
    code = "storage"


class TrainingDiverged(RnncliError):
    """The loss or a gradient stopped being finite, in this phase of training."""

    exit_code = 9
    code = "diverged"
    phase: object = ""


class RankLost(RnncliError):
    """Another process of the same training ended, or cannot be reached."""

    exit_code = 10
    code = "rank"


class OutputLocked(RnncliError):
    """Another run is writing the same file."""

    exit_code = 75
    code = "locked"


class TimedOut(RnncliError):
    """The time that was allowed is over."""

    exit_code = 124
    code = "timeout"
