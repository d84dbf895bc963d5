"""`rnncli report`: one page, its numbers those of evaluate, and nothing in it asks for more."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.charts.score_page import number, percent
from rnncli.errors import MissingDependency, UsageError
from rnncli.workflows.report_sections import SEEN
from rnncli.workflows.reproduce import command

pytest.importorskip("matplotlib")
Run = Callable[..., subprocess.CompletedProcess[str]]
LARGEST = 5_000_000
VOID = {"meta", "path", "rect", "use", "line", "br", "img", "link", "input", "hr", "image", "stop"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
BROWSER = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


class Page(HTMLParser):
    """The elements of a page, its tables by caption, and its headings; fails where elements do not close in order."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.text, self.open = data.decode(), []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.headings: list[str] = []
        self._rows: list[list[str]] = []
        self._words = ""
        self.feed(self.text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        self.open += [] if tag in VOID else [tag]
        self._words = ""
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop() == tag
        if tag in ("th", "td"):
            self._rows[-1].append(self._words)
        if tag == "caption":
            self.tables[self._words] = self._rows
        if tag in ("h1", "h2", "h3"):
            self.headings.append(self._words)

    def handle_data(self, data: str) -> None:
        self._words += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def jobs(sample_data: Path) -> Path:
    return sample_data / "us_employment.csv"


@pytest.fixture(scope="module")
def made(run_rnncli: Run, jobs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a model, and its report, beside what evaluate says."""
    folder = tmp_path_factory.mktemp("report")
    shutil.copy(jobs, folder / "jobs.csv")
    sizes = ("--steps", 2, "--hidden", 4, "--layers", 1, "--batch", 8, "--members", 1)
    done = run_rnncli("train", "jobs.csv", "--horizon", 6, *sizes, "-o", "m.safetensors", cwd=folder)
    assert done.returncode == 0, done.stderr
    scored = ("jobs.csv", "-m", "m.safetensors", "--windows", 2, "--no-refit")
    done = run_rnncli("report", *scored, "--series", 2, "-o", "report.html", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "report.json").write_text(done.stdout)
    done = run_rnncli("evaluate", *scored, "--by", "series", "--json", cwd=folder)
    (folder / "scores.json").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def page(made: Path) -> Page:
    return Page((made / "report.html").read_bytes())


def test_a_page_is_one_file_that_asks_nobody_for_anything(page: Page) -> None:
    assert len(page.text.encode()) < LARGEST
    assert "http:" not in page.text
    assert "https:" not in page.text
    links = [a for tag, a in page.elements for name, a in a.items() if name in ("href", "src") and tag != "use"]
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert {a["href"][1:] for a in page.all("a")} <= {a["id"] for _, a in page.elements if "id" in a}
    assert next(a["content"] for a in page.all("meta") if a.get("http-equiv")).startswith("default-src 'none'")
    assert "prefers-color-scheme: dark" in page.text
    assert page.all("html") == [{"lang": "en"}]


def test_every_section_is_there(page: Page) -> None:
    assert page.headings == [
        "Forecasts of employees: report",
        "In short",
        "Data and model: what was inferred",
        "What the forecast is made of",
        "Scores beside baselines",
        "Calibration, lead and series",
        "The worst series",
        "Drift since training",
        "Gradients of the network",
        "How to reproduce it",
    ]


def test_every_picture_says_what_it_shows_and_tables_have_headings(page: Page) -> None:
    pictures = [a for a in page.all("svg") if a.get("aria-hidden") != "true"]
    assert len(pictures) == 4  # scores, two series, gradients
    assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in pictures)
    assert len(page.all("table")) == len(page.all("caption")) == len(page.tables)
    assert all(a.get("scope") in ("row", "col") for a in page.all("th"))


def test_ids_are_unique(page: Page) -> None:
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_scores_are_those_of_evaluate(page: Page, made: Path) -> None:
    scores = json.loads((made / "scores.json").read_text())
    assert json.loads((made / "report.json").read_text())["evaluation"] == scores
    header, *rows = next(table for caption, table in page.tables.items() if caption.startswith("Scores: "))
    assert header == ["metric", *scores["scores"], "skill"]
    assert [row[0] for row in rows] == list(scores["scores"]["model"])
    for metric, *cells in rows:
        values = [one[metric] for one in scores["scores"].values()]
        values.append(scores["skill_vs_seasonal_naive"]["model"].get(metric))
        assert cells == ["-" if value is None else number(value) for value in values]


def test_coverage_and_the_errors_of_series_are_those_of_evaluate(page: Page, made: Path) -> None:
    scores = json.loads((made / "scores.json").read_text())
    for level, share, *_ in page.tables["Values within each interval"][1:]:
        assert share == percent(100 * scores["scores"]["model"][f"coverage_{level.removesuffix(' %')}"])
    errors = {row["id"]: row["mase"] for row in scores["by_series"] if row["forecaster"] == "model"}
    shown = {row[0]: row[1] for row in page.tables["MASE by series, the worst first"][1:]}
    worst_first = sorted(errors, key=lambda name: -errors[name])
    assert set(shown.items()) <= {(name, number(value)) for name, value in errors.items()}
    assert list(shown)[:5] == worst_first[:5]


def test_a_paired_test_stands_beside_every_baseline(page: Page, jobs: Path, made: Path) -> None:
    done = rnncli.evaluate(made / "jobs.csv", made / "m.safetensors", windows=2, refit=False)
    header, *rows = next(table for caption, table in page.tables.items() if caption.startswith("Is the model"))
    assert header[0] == "baseline"
    for name, difference, p, method in rows:
        found = done.report.against(name)
        assert float(difference) == pytest.approx(found.difference, rel=1e-3)
        assert (float(p), method) == (pytest.approx(found.p, rel=1e-2), found.method)


def test_the_series_that_are_drawn_have_the_errors_of_the_scores(made: Path) -> None:
    done = rnncli.evaluate(made / "jobs.csv", made / "m.safetensors", refit=False)
    assert done.fans is not None
    assert done.fans.errors.tolist() == done.report.scores["model"].per_series["mase"].tolist()
    assert (done.fans.point == done.report.made["model"].point).all()


def test_what_is_in_sample_is_called_so(page: Page) -> None:
    assert f"In-sample: {SEEN}" in page.text


def test_the_shares_of_the_pool_add_up(page: Page) -> None:
    rows = page.tables["Shares and held-out scores"][1:]
    shares = {name: float(share.removesuffix(" %")) for name, _, share, *_ in rows}
    assert shares.pop("all together") == 100
    assert sum(shares.values()) == pytest.approx(100, abs=2)


def commands_of(page: str) -> list[list[str]]:
    found = re.findall(r"<pre><code>(.*?)</code></pre>", page)
    return [shlex.split(unescape(one)) for one in found]


def test_the_commands_make_the_same_again(page: Page, made: Path, run_rnncli: Run) -> None:
    trained, scored, reported = commands_of(page.text)
    before = (made / "m.safetensors").read_bytes()
    assert trained[:3] == ["rnncli", "train", "jobs.csv"]
    done = run_rnncli(*trained[1:], cwd=made)
    assert done.returncode == 0, done.stderr
    assert (made / "again.safetensors").read_bytes() == (made / "m.safetensors").read_bytes() == before
    assert scored[1:] == ["evaluate", "jobs.csv", "-m", "m.safetensors", "--windows", "2", "--no-refit", "--json"]
    shown = (made / "report.html").read_bytes()
    assert run_rnncli(*reported[1:], "-q", cwd=made).returncode == 0
    assert (made / "report.html").read_bytes() == shown


@pytest.mark.parametrize(
    "said",
    [
        ("--cell", "rnn", "--activation", "relu", "--holidays", "US"),  # which validation leaves out
        ("--cell", "dilated:gru,lru", "--plain-stack", "--holidays", "US", "--keep-covariates"),
        ("--as-of", "2015-01-01", "--min", "0", "--quantiles", "0.1,0.9"),
    ],
)
def test_a_model_of_other_settings_is_made_again_to_the_byte(
    said: tuple[str, ...], jobs: Path, run_rnncli: Run, tmp_path: Path
) -> None:
    sizes = ("--steps", 2, "--hidden", 4, "--batch", 8, "--members", 1, "--horizon", 6)
    model = tmp_path / "again.safetensors"
    assert run_rnncli("train", jobs, *said, *sizes, "-o", model).returncode == 0
    as_of = said[1] if said[0] == "--as-of" else None
    done = rnncli.report(jobs, model, refit=False, gradients=False, series=1, as_of=as_of)
    trained = commands_of(done.page.decode())[0]
    again = run_rnncli(*trained[1:], cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "once-more.safetensors").read_bytes() == model.read_bytes()


def test_no_command_is_said_to_make_a_model_of_other_data(made: Path) -> None:
    newer = made / "newer.csv"
    newer.write_text((made / "jobs.csv").read_text() + "nonfarm,2016-01-01,143000\n")
    done = rnncli.report(newer, made / "m.safetensors", refit=False, gradients=False, series=1)
    text = done.page.decode()
    assert [one[1] for one in commands_of(text)] == ["evaluate", "report"]
    assert "no command makes it again from these data" in text


def test_no_secret_of_a_url_is_in_the_page(made: Path) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=made)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/jobs.csv?X-Amz-Signature=5ecre7"
        done = rnncli.report(url, made / "m.safetensors", refit=False, gradients=False, series=1)
        server.shutdown()
    text = done.page.decode()
    assert "jobs.csv?X-Amz-Signature=***" in text
    assert "5ecre7" not in text
    said = command("evaluate", "postgresql://me:swordfish@host/db", {"query": "select 1"})
    assert said == "rnncli evaluate 'postgresql://me:***@host/db' --query 'select 1'"


def test_what_cannot_be_reported_is_refused_before_any_work(
    made: Path, sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made / "m.safetensors"
    with pytest.raises(UsageError, match=r"a report ends in \.html, not 'r\.pdf'"):
        rnncli.report("absent.csv", model, output="r.pdf")
    with pytest.raises(UsageError, match="a report reads DATA more than once"):
        rnncli.report("-", model, output=tmp_path / "r.html")
    with pytest.raises(UsageError, match="DATA reads this"):
        rnncli.report(tmp_path / "r.html", model, output=tmp_path / "r.html")
    path = tmp_path / "digits.safetensors"
    digits = sample_data / "digits.csv"
    rnncli.train(digits, label="digit", steps=1, hidden=4, layers=1, batch=4, members=1, output=path)
    with pytest.raises(UsageError, match="report is about forecasts, and the model makes labels"):
        rnncli.report(digits, path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependency) as refused:
        rnncli.report("absent.csv", model)
    assert refused.value.hint == "pip install 'rnncli[report]'"
    assert list(tmp_path.glob("*.html")) == []


def test_without_gradients_the_page_says_so(made: Path) -> None:
    done = rnncli.report(made / "jobs.csv", made / "m.safetensors", refit=False, gradients=False, series=1)
    assert "Not looked at: --no-gradients." in done.page.decode()
    assert done.inspection is None
    assert "Report" in repr(done)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium without a window: that of the system, or the one that CHROMIUM names, driven by playwright."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed, and CHROMIUM names none")
    playwright = pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright")
    with playwright.sync_playwright() as driver:
        single = ["--single-process", "--no-zygote", "--use-angle=swiftshader"]
        started = driver.chromium.launch(executable_path=BROWSER, args=single, chromium_sandbox=False)
        yield started
        started.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1200, "dark")])
def test_a_browser_draws_every_picture_and_the_keys_read_it(made: Path, browser: Any, width: int, scheme: str) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    opened.goto((made / "report.html").as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    for picture in opened.query_selector_all("figure .plot svg"):
        box = picture.bounding_box()
        assert box["width"] > 250
        assert box["height"] > 100
    first = opened.query_selector("figure[data-reads] .plot")
    first.focus()
    last = first.get_attribute("aria-valuetext")
    opened.keyboard.press("Home")
    assert first.get_attribute("aria-valuetext") != last
    opened.keyboard.press("End")
    assert first.get_attribute("aria-valuetext") == last
    assert last == opened.query_selector("figure[data-reads] .reading").inner_text()
    paper = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 24, 27)")
    assert said == []
