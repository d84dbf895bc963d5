"""The meaning of a name that the program prints or takes: an id, an error, an exit code, a metric, a cell, a theme.

Every text stands once, in the Markdown files of `rnncli/pages`. A file is the page of a theme, called as the file is.
On the pages of KINDS each section explains what its heading names in backticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnncli.errors import UsageError
from rnncli.near import near
from rnncli.workflows.arguments import public

SCHEMA = "rnncli.explain/1"
PAGES = Path(__file__).resolve().parents[1] / "pages"
THEME = "theme"
KINDS = {  # the pages of entries, and what their entries are
    "checks": "check",
    "findings": "gradient finding",
    "remedies": "remedy",
    "errors": "error",
    "exit-codes": "exit code",
    "metrics": "metric",
    "baselines": "baseline",
    "cells": "cell",
    "formats": "format",
}
_SECTION = re.compile(r"^## (.*)\n", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Entry:
    """The text on a name, in Markdown without a heading. `kind` is "theme" or a value of KINDS; names after the first
    mean the same thing: the class of an error, a cell with its steps.
    """

    names: tuple[str, ...]
    kind: str
    text: str

    @property
    def name(self) -> str:
        """The name that it is listed by."""
        return self.names[0]

    @property
    def first_sentence(self) -> str:
        """What the text says first, in one line without Markdown."""
        paragraph = " ".join(self.text.partition("\n\n")[0].split())
        return paragraph.partition(". ")[0].removesuffix(".").replace("`", "")

    def is_called(self, name: str) -> bool:
        """Whether `name` is one of its names, whatever its capitals and whether it has - or _."""
        return _folded(name) in map(_folded, self.names)

    def to_json(self) -> dict[str, str]:
        """A dictionary of JSON values."""
        return {"name": self.name, "kind": self.kind, "text": self.text}


@dataclass(frozen=True)
class Explanation:
    """The entries on `name`, one of each kind that has it; every entry that there is where `name` is None."""

    name: str | None
    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        """Markdown: the entries, or a list of the names."""
        return contents(self.entries) if self.name is None else "\n\n".join(map(_headed, self.entries))

    __repr__ = _repr_markdown_ = __str__

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        return {"schema": SCHEMA, "name": self.name, "entries": [entry.to_json() for entry in self.entries]}


@public
def explain(name: str | None = None) -> Explanation:
    """Say what `name` means, why it matters and what to do: an id that a command printed, an error, an exit code, a
    metric, a baseline, a cell, a file format, or the page of a theme. Without a name: everything that can be explained.

    UsageError where nothing is known of the name.
    """
    known = tuple(all_entries())
    if name is None:
        return Explanation(None, known)
    for form in _forms(name):
        found = tuple(entry for entry in known if entry.is_called(form))
        if found:
            return Explanation(name, found)
    close = near(name, (own for entry in known for own in entry.names))
    hint = f"did you mean {close}?" if close else "rnncli explain lists what is known"
    raise UsageError(f"nothing is known of {name!r}", hint=hint)


def all_entries() -> Iterator[Entry]:
    """Every theme, and then every section of the pages of KINDS."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("*.md"))}
    yield from (Entry((theme,), THEME, text.partition("\n")[2].strip()) for theme, text in pages.items())
    for page, kind in KINDS.items():
        yield from (Entry(names, kind, text) for names, text in sections(pages[page]))


def sections(page: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Names in its heading and text of each section of a page; in a fenced block nothing is a heading."""
    fenced = [range(*found.span()) for found in _FENCED.finditer(page)]
    headings = [found for found in _SECTION.finditer(page) if not any(found.start() in block for block in fenced)]
    ends = [*(heading.start() for heading in headings[1:]), len(page)]
    for heading, end in zip(headings, ends, strict=True):
        yield tuple(_NAME.findall(heading[1])), page[heading.end() : end].strip()


def contents(entries: tuple[Entry, ...]) -> str:
    """Themes, each with its first sentence, and then the names of each kind."""
    lines = ["# What `rnncli explain NAME` can explain", "", "| theme | what it says |", "|---|---|"]
    lines += [f"| {entry.name} | {entry.first_sentence} |" for entry in entries if entry.kind == THEME]
    for page, kind in KINDS.items():
        lines += ["", f"{page}: {', '.join(entry.name for entry in entries if entry.kind == kind)}"]
    return "\n".join(lines)


def _headed(entry: Entry) -> str:
    title = f"# {entry.name}" if entry.kind == THEME else f"# {', '.join(entry.names)} ({entry.kind})"
    return f"{title}\n\n{entry.text}"


def _forms(name: str) -> Iterator[str]:
    """The name as it was typed, and without what a report adds to it: `coverage_80`, `dilated:24:gru`."""
    yield name
    yield name.partition(":")[0]
    yield re.sub(r"[-_][\d.]+$", "", name)


def _folded(name: str) -> str:
    return name.strip().casefold().replace("_", "-")
