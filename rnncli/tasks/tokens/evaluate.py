"""How likely a model holds what comes in documents, beside what is simpler."""

from __future__ import annotations

from rnncli.data.objects import Data
from rnncli.errors import UsageError
from rnncli.events import Listener
from rnncli.spec import ColumnChoices
from rnncli.tasks.task import Again, Backtest, Scored
from rnncli.tasks.tokens.token_model import TokenModel


def evaluated(
    data: Data,
    model: TokenModel,
    choices: ColumnChoices,
    wanted: Backtest,
    tell: Listener,
    again: Again,
) -> Scored:
    """The scores of a model. UsageError: documents are scored by predict."""
    del data, model, choices, wanted, tell, again
    raise UsageError("a model of tokens is scored by predict", hint="rnncli predict DATA -m MODEL --score document")
