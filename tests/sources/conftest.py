"""Real servers on this machine's loopback, which tests start and stop: PostgreSQL, and S3 by moto."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from servers import (  # beside this file
    PASSWORD,
    QUICK,
    TOOLS,
    Bucket,
    Postgres,
    answers,
    binary,
    free_port,
    put,
    sales,
    unprivileged,
)


@pytest.fixture(scope="session")
def postgres(environment: dict[str, str]) -> Iterator[Postgres]:
    """A database `shop` of a new server; who asks must know the password."""
    pytest.importorskip("adbc_driver_postgresql", reason="rnncli[sql] is not installed")
    initdb, server = map(binary, TOOLS)
    owner, folder = unprivileged(), Path(tempfile.mkdtemp(prefix="rnncli-pg-", dir="/tmp"))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    for path in (folder, secret):
        shutil.chown(path, owner.get("user"), owner.get("group")) if owner else None
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    made = [
        initdb,
        "-D",
        folder / "data",
        "-U",
        "shop",
        "-A",
        "scram-sha-256",
        f"--pwfile={secret}",
        "-N",
        "-E",
        "UTF8",
    ]
    subprocess.run(made, check=True, capture_output=True, cwd="/", env=plain, **owner)
    port = free_port()
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([server, "-D", folder / "data", *words], stderr=log, cwd="/", env=plain, **owner)
    try:
        assert answers(port, process), (folder / "log").read_text()
        who = {"PGUSER": "shop", "PGPASSWORD": PASSWORD}
        made = Postgres(f"postgresql://127.0.0.1:{port}/postgres", process, environment | who)
        made.wait()
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    if find_spec("moto") is None or find_spec("flask") is None or find_spec("flask_cors") is None:
        pytest.skip("there is no S3 server: moto[server] is not installed")
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert answers(port, process), "moto does not start"
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait(30)


@pytest.fixture
def bucket(
    s3_server: tuple[str, subprocess.Popen[bytes]], environment: dict[str, str], request: pytest.FixtureRequest
) -> Bucket:
    """A new bucket."""
    endpoint, process = s3_server
    name = f"b{abs(hash(request.node.name))}"
    put(f"{endpoint}/{name}")
    who = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "shop", "AWS_SECRET_ACCESS_KEY": PASSWORD}
    return Bucket(f"s3://{name}", endpoint, environment | who | {"AWS_ALLOW_HTTP": "true"}, process)


@pytest.fixture(scope="session")
def table_of_sales() -> Callable[..., pa.Table]:
    return sales


@pytest.fixture(scope="session")
def quick() -> tuple[str, ...]:
    """The options of a training that takes a moment."""
    return QUICK


@pytest.fixture(scope="session")
def quick_options() -> dict[str, int]:
    """The same as keywords."""
    pairs = zip(QUICK[::2], QUICK[1::2], strict=True)
    return {flag.removeprefix("--"): int(value) for flag, value in pairs}
