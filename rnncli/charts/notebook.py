"""Pictures within the HTML that a notebook shows of a result."""

from __future__ import annotations

import base64
import html
from importlib.util import find_spec

from rnncli.charts.picture import Picture


def image(shown: Picture) -> str:
    """The picture as an element that holds its bytes and says what it shows; nothing where it cannot be drawn."""
    if not len(shown.fans) or find_spec("matplotlib") is None:
        return ""
    data = base64.b64encode(shown.encode("png")).decode()
    return f'<img alt="{html.escape(shown.says)}" src="data:image/png;base64,{data}">'
