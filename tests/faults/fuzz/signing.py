"""Model files taken apart and signed again, so that what a digest cannot know is tested behind it."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

ZEROS = "0" * 64


def opened(data: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A file -> its rnncli document, its table of tensors, and their bytes. ValueError or LookupError if it is none."""
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + length])
    document = json.loads(table.pop("__metadata__")["rnncli"])
    return document, table, data[8 + length :]


def signed(document: dict[str, Any], table: dict[str, Any], body: bytes) -> bytes:
    """A file of these parts with a digest that fits, whatever else is wrong with it."""
    digest = hashlib.sha256(_file({**document, "digest": ZEROS}, table, body)).hexdigest()
    return _file({**document, "digest": digest}, table, body)


def _file(document: dict[str, Any], table: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    head = json.dumps({"__metadata__": {"rnncli": text}, **table}, separators=(",", ":")).encode()
    return struct.pack("<Q", len(head)) + head + body
