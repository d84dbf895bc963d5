"""Files in a bucket as data and as output, on an S3 server: Parquet, CSV, folders, globs, parted and Delta tables."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from servers import PASSWORD, Bucket, between, sales  # beside this file

from rnncli.data.writers.results import Style, of_table, pieces

Run = Callable[..., subprocess.CompletedProcess[str]]
READ_BACK = ("--target", "forecast", "--id", "shop", "--time", "day")


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bucket") / "sales.parquet"
    path.write_bytes(as_parquet(sales()))
    return path


@pytest.fixture(scope="module")
def model(run_rnncli: Run, table: Path, quick: tuple[str, ...]) -> Path:
    path = table.with_name("sales.safetensors")
    done = run_rnncli("train", table, *quick, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def run(run_rnncli: Run, bucket: Bucket) -> Run:
    return lambda *arguments, **options: run_rnncli(*arguments, **({"env": bucket.environment} | options))


def test_parquet_in_a_bucket_is_trained_on_and_predicted_into_it(
    run: Run, bucket: Bucket, table: Path, model: Path, quick: tuple[str, ...], tmp_path: Path
) -> None:
    url = bucket.put("in/sales.parquet", table.read_bytes())
    again = tmp_path / "sales.safetensors"
    assert run("train", url, *quick, "-o", again).returncode == 0
    assert again.read_bytes() == model.read_bytes()
    local = tmp_path / "forecast.parquet"
    assert run("predict", table, "-m", model, "-o", local).returncode == 0
    for name in ("out/forecast.parquet", "out/forecast.csv"):
        done = run("predict", url, "-m", model, "-o", f"{bucket.url}/{name}", "--json")
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert (document["output"], document["rows"]) == (f"{bucket.url}/{name}", 6)
        written = run("predict", f"{bucket.url}/{name}", *READ_BACK, "-m", model)
        assert written.stdout == run("predict", local, *READ_BACK, "-m", model).stdout
    assert run("check", url).stdout == run("check", table).stdout
    assert (
        run("evaluate", url, "-m", model, "--no-refit").stdout
        == run("evaluate", table, "-m", model, "--no-refit").stdout
    )


def test_a_folder_a_glob_and_a_parted_table_are_read_as_they_are_on_a_disk(
    run: Run, bucket: Bucket, table: Path, model: Path
) -> None:
    for number in (0, 1):
        one = sales().filter(pa.compute.equal(sales()["shop"], f"shop {number}"))
        bucket.put(f"heap/shop {number}.parquet".replace(" ", "%20"), as_parquet(one))
        bucket.put(f"parted/shop=shop%2520{number}/year=2024/0.parquet", as_parquet(one.drop(["shop"])))
    expected = run("predict", table, "-m", model).stdout
    for given in ("heap/", "heap", "heap/*.parquet", "h*p/shop?1.parquet", "parted"):
        done = run("predict", f"{bucket.url}/{given}", "-m", model)
        assert done.returncode == 0, done.stderr
        assert set(done.stdout.splitlines()) <= set(expected.splitlines()), given
        assert len(done.stdout.splitlines()) == (4 if "?" in given else 7)


def test_a_pattern_lists_no_folder_that_it_cannot_match_in(
    run_rnncli: Run, bucket: Bucket, table: Path, model: Path
) -> None:
    for name in ("a.parquet", ".hidden.parquet", "in/b.parquet", "in/deep/c.parquet", ".away/d.parquet"):
        bucket.put(f"top/{name}", table.read_bytes())
    reads = {
        "top/*.parquet": ["a"],
        "top/*/*.parquet": ["b"],
        "top/**/*.parquet": ["a", "b", "c"],
        "top/.*/*.parquet": ["d"],
    }
    for pattern, expected in reads.items():
        with between(bucket.endpoint) as (endpoint, handler):
            env = bucket.environment | {"AWS_ENDPOINT_URL": endpoint}
            done = run_rnncli("check", f"{bucket.url}/{pattern}", "-m", model, "--json", env=env)
        assert done.returncode in (0, 4), done.stderr
        objects = {line.partition("?")[0].rpartition("/")[2] for line in handler.asked if ".parquet" in line}
        assert sorted(objects & {f"{letter}.parquet" for letter in "abcd"}) == [f"{one}.parquet" for one in expected]
        listed = [line for line in handler.asked if "list-type" in line and "max-keys=1" not in line.split("&")]
        assert listed
        assert all("delimiter=" in line for line in listed) == ("**" not in pattern), listed


def test_texts_of_a_folder_are_those_that_are_called_so(
    run: Run, bucket: Bucket, quick: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    texts = {"one.txt": b"to be or not to be " * 20, "two.md": b"that is the question " * 20, "note.csv": b"a,b\n1,2\n"}
    for name, data in texts.items():
        bucket.put(f"in/{name}", data)
        (tmp_path / "in" / name).write_bytes(data)
    for given, name in ((f"{bucket.url}/in", "far"), (tmp_path / "in", "near")):
        done = run("train", given, "--split", "char", *quick[2:], "-o", tmp_path / f"{name}.safetensors")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "far.safetensors").read_bytes() == (tmp_path / "near.safetensors").read_bytes()
    done = run("train", f"{bucket.url}/in/note.csv", "--split", "char", *quick[2:], "-o", tmp_path / "m.safetensors")
    assert done.returncode == 4
    assert "this is a table by its name" in done.stderr


def test_a_delta_table_in_a_bucket_has_each_row_once(run: Run, bucket: Bucket, table: Path, model: Path) -> None:
    pytest.importorskip("deltalake", reason="rnncli[delta] is not installed")
    url = f"{bucket.url}/forecasts.delta"
    for _ in range(2):
        done = run("predict", table, "-m", model, "-o", url)
        assert done.returncode == 0, done.stderr
    assert len(run("predict", url, *READ_BACK, "-m", model).stdout.splitlines()) == 7


REFUSED = {
    "a file that is not there": ("{0}/nope.parquet", (), 4, "there is no such file"),
    "a bucket that is not there": ("s3://not-there/a.parquet", (), 4, "there is no such file"),
    "a pattern that nothing matches": ("{0}/*.csv", (), 4, "no file matches"),
    "keys in a URL": ("s3://shop:" + PASSWORD + "@b/a.parquet", (), 2, "the URL of a bucket holds no keys"),
    "a pattern of buckets": ("s3://b*/a.parquet", (), 2, "the bucket's name is a pattern"),
    "no bucket": ("s3://", (), 2, "the URL names no bucket"),
    "a damaged file": ("{0}/bad.parquet", (), 4, "this is not a sound Parquet file"),
    "a truncated file": ("{0}/short.parquet", (), 4, "this is not a sound Parquet file"),
    "an output that is read": ("{0}/in.parquet", ("-o", "{0}/in.parquet"), 2, "DATA reads this"),
    "an output in a folder that is read": ("{0}/folder/", ("-o", "{0}/folder/x.parquet"), 2, "reads this"),
    "an output that a pattern matches": ("{0}/f/*.parquet", ("-o", "{0}/f/x.parquet"), 2, "reads this"),
    "an output in no bucket": ("{0}/in.parquet", ("-o", "s3://not-there/x.parquet"), 8, "there is no such bucket"),
    "an output with no suffix": ("{0}/in.parquet", ("-o", "{0}/x"), 2, "does not say what to write"),
    "an output that is there": (
        "{0}/in.parquet",
        ("-o", "{0}/bad.parquet", "--if-exists", "error"),
        2,
        "there is a file",
    ),
    "a model": ("{0}/in.parquet", ("--state", "{0}/x.state"), 2, "--state takes files of this machine"),
}


def test_what_cannot_be_read_or_written_is_one_clear_error(run: Run, bucket: Bucket, table: Path, model: Path) -> None:
    whole = table.read_bytes()
    for name, data in {"in": whole, "bad": b"PAR1 no", "short": whole[: len(whole) // 2]}.items():
        bucket.put(f"{name}.parquet", data)
    for case, (given, words, code, says) in REFUSED.items():
        more = [word.format(bucket.url) for word in words]
        done = run("predict", given.format(bucket.url), "-m", model, *more)
        assert (done.returncode, done.stdout) == (code, ""), (case, done.stderr)
        assert says in done.stderr, case
        assert PASSWORD not in done.stderr


@pytest.mark.parametrize("name", ["sales.parquet", "sales.csv", "sales.csv.gz", "sales.arrow", "sales.jsonl"])
def test_a_connection_that_breaks_while_a_file_is_read_is_a_failure_of_storage(
    name: str, run_rnncli: Run, bucket: Bucket, model: Path
) -> None:
    rows = sales(40)
    rows = rows.set_column(1, "day", rows["day"].cast(pa.string()))
    rows = rows.append_column("noise", pa.array(np.random.default_rng(0).random(len(rows))))
    data = b"".join(pieces(of_table(rows), name.split(".")[1], Style()))
    bucket.put(name, gzip.compress(data) if name.endswith("gz") else data)
    with between(bucket.endpoint) as (endpoint, handler):
        env = bucket.environment | {"AWS_ENDPOINT_URL": endpoint, "AWS_MAX_ATTEMPTS": "1"}
        words = ("predict", f"{bucket.url}/{name}", "--target", "sold", "-m", model)
        assert run_rnncli(*words, env=env).returncode == 0
        handler.breaks = 1_000
        done = run_rnncli(*words, env=env)
    assert (done.returncode, done.stdout) == (8, ""), done.stderr
    assert "cannot read" in done.stderr
    assert name in done.stderr


def test_a_server_that_is_gone_is_a_failure_of_storage(
    run_rnncli: Run, bucket: Bucket, model: Path, table: Path
) -> None:
    gone = bucket.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    done = run_rnncli("predict", f"{bucket.url}/in.parquet", "-m", model, env=gone)
    assert done.returncode == 8, done.stderr
    assert "NETWORK_CONNECTION" in done.stderr
