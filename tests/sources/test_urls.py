"""URLs that lead nowhere: each is one clear error, before anything is asked for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rnncli.data.load import load_panel
from rnncli.data.sinks.sink import Into, sink_of
from rnncli.errors import UsageError
from rnncli.spec import ColumnChoices
from rnncli.workflows.paths import keep_apart

NOWHERE = {
    "https://": "names no host",
    "https:///x.csv": "names no host",
    "http://:80/x.csv": "names no host",
    "http://[::1": "this is no URL",
    "http://localhost:99999/x.csv": "this is no URL",
    "http://localhost:abc/x.csv": "this is no URL",
    "http://exa mple/x.csv": "has a host that there cannot be",
    "http://a..b/x.csv": "a part of the host's name is empty",
    "http://localhost/a\nb.csv": "has a control character",
    "file://[x/a.csv": "this is no URL",
    "postgresql://[::1/db": "this is no URL",
    "sqlite://[x/a.db": "this is no URL",
    "s3:///x.csv": "names no bucket",
    "s3://b/x.csv?regoin=eu": "asks for 'regoin', which s3 does not know",
    "gs://b/x.csv?region=eu": "asks for 'region', which gs does not know",
    "az://b/x.csv?region=eu": "asks for 'region', which az does not know",
    "abfss://x/a.csv": "leads nowhere",
    "s3://key:secret/of@b/x.csv": "holds no keys",
    "s3://b/\udcff.csv": "is no text in UTF-8",
}
OF_DATABASES = ("postgresql", "sqlite")


@pytest.mark.parametrize("url", NOWHERE, ids=ascii)
def test_a_url_that_leads_nowhere_is_refused_as_data_and_as_output(url: str) -> None:
    choices = ColumnChoices(query="select 1") if url.startswith(OF_DATABASES) else ColumnChoices()
    with pytest.raises(UsageError, match=NOWHERE[url]) as caught:
        load_panel(url, choices)
    assert caught.value.hint
    if not url.startswith("http"):  # nobody writes there
        with pytest.raises(UsageError, match=NOWHERE[url]):
            sink_of(url, Into(table="t" if url.startswith(OF_DATABASES) else None)).check()


@pytest.mark.parametrize("url", NOWHERE, ids=ascii)
def test_a_url_that_leads_nowhere_is_no_bug_beside_another(url: str) -> None:
    with suppress(UsageError):
        keep_apart("predict", {"data": [url], "output": "out.csv"})
    with suppress(UsageError):
        keep_apart("predict", {"data": ["in.csv"], "output": url})


def test_a_hint_names_what_was_meant() -> None:
    with pytest.raises(UsageError) as caught:
        load_panel("s3://b/x.csv?regoin=eu")
    assert "did you mean region?" in str(caught.value.hint)


def test_a_command_ends_in_two(run_rnncli: Any, tmp_path: Path) -> None:
    for url in ("https://", "http://[::1", "s3:///x.csv", "s3://b/x.csv?regoin=eu"):
        done = run_rnncli("predict", url, "--horizon", 2, "-o", tmp_path / "x.csv")
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr.startswith(f"error: {url}: ")
