"""What a name means, by the names that users meet."""

from __future__ import annotations

import pytest

import rnncli
from rnncli.errors import UsageError
from rnncli.near import near
from rnncli.workflows.explain import KINDS, all_entries, sections


def test_a_name_is_explained_in_every_kind_that_has_it() -> None:
    assert [entry.kind for entry in rnncli.explain("drift").entries] == ["check", "baseline"]
    assert [entry.kind for entry in rnncli.explain("leakage").entries] == ["check"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("coverage_80", "coverage"),
        ("msis_97.5", "msis"),
        ("dilated:24:gru", "dilated"),
        ("fir:24", "fir"),
        ("InputRefused", "input"),
        ("seasonal_naive", "seasonal-naive"),
        ("balanced-accuracy", "balanced_accuracy"),
        ("Leakage", "leakage"),
        ("75", "75"),
    ],
)
def test_what_a_report_or_a_user_writes_is_found(typed: str, name: str) -> None:
    assert [entry.name for entry in rnncli.explain(typed).entries] == [name]


def test_an_unknown_name_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="nothing is known of 'vanshing'") as caught:
        rnncli.explain("vanshing")
    assert caught.value.hint == "did you mean vanishing?"
    with pytest.raises(UsageError) as caught:
        rnncli.explain("xyzzy")
    assert caught.value.hint == "rnncli explain lists what is known"


def test_no_two_entries_of_a_kind_have_a_name_in_common() -> None:
    entries = list(all_entries())
    names = [(entry.kind, name.casefold().replace("_", "-")) for entry in entries for name in entry.names]
    assert len(set(names)) == len(names)
    assert all(entry.text and entry.first_sentence for entry in entries)


def test_without_a_name_everything_is_listed() -> None:
    found = rnncli.explain()
    assert found.to_json()["name"] is None
    assert {entry["kind"] for entry in found.to_json()["entries"]} == {"theme", *KINDS.values()}
    assert all(entry.name in str(found) for entry in found.entries)


def test_a_heading_in_a_fenced_block_is_none() -> None:
    page = "# Page\n\n## `one` `1`\n\nFirst.\n\n```sh\n## `no`\n```\n\n## `two`\n\nSecond.\n"
    assert list(sections(page)) == [(("one", "1"), "First.\n\n```sh\n## `no`\n```"), (("two",), "Second.")]


@pytest.mark.parametrize("kind", sorted(set(KINDS.values()) - {"exit code"}))
def test_a_mistyped_name_is_near(kind: str) -> None:
    names = [name for entry in all_entries() for name in entry.names]
    long = next(entry.name for entry in all_entries() if entry.kind == kind and len(entry.name) > 3)
    assert near(long[:-1] + "_", names) is not None
