"""What real servers are started with, and asked: PostgreSQL, and S3 by moto."""

from __future__ import annotations

import http.client
import http.server
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest

PASSWORD = "swordfish-77"  # noqa: S105
TOOLS = ("initdb", "postgres")
QUICK = ("--horizon", "3", "--steps", "2", "--hidden", "4", "--layers", "1", "--members", "1", "--threads", "1")
DAYS = 60
BLOCK = 1 << 12  # bytes of which only data has more


@dataclass(frozen=True)
class Postgres:
    """A server of PostgreSQL, and the environment of who may use it."""

    url: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def wait(self, seconds: float = 30.0) -> None:
        """Wait until it takes questions: it listens before it does."""
        import adbc_driver_manager as adbc

        until = time.monotonic() + seconds
        while True:
            try:
                self.ask("select 1")
            except adbc.OperationalError:
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                return

    def ask(self, statement: str) -> list[dict[str, Any]]:
        """The rows of a statement, or none."""
        import adbc_driver_manager as adbc
        from adbc_driver_postgresql import connect

        with (
            connect(self.url.replace("://", f"://shop:{PASSWORD}@")) as database,
            adbc.AdbcConnection(database) as connection,
            adbc.AdbcStatement(connection) as asked,
        ):
            asked.set_sql_query(statement)
            if not statement.lower().startswith(("select", "with")):
                asked.execute_update()
                return []
            return pa.RecordBatchReader.from_stream(asked.execute_query()[0]).read_all().to_pylist()


def binary(name: str) -> str:
    """The path of a program of PostgreSQL's; skips where there is none."""
    folders = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        pytest.skip(f"PostgreSQL is not installed: there is no {name}")
    return found


def unprivileged() -> dict[str, Any]:
    """Who runs the server, which refuses to be root: keywords of a process."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name for user in pwd.getpwall()}
    name = next((name for name in ("postgres", "nobody", "daemon") if name in known), None)
    if name is None:
        pytest.skip("PostgreSQL does not run as root, and there is no other user")
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int, process: subprocess.Popen[bytes], seconds: float = 30.0) -> bool:
    """Whether something listens at a port, as long as the process lives."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False


def put(address: str, data: bytes = b"") -> None:
    """Store bytes at an address of a server of ours; moto waits forever where they could be a form."""
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(address, data, headers, method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass


class Between(http.server.BaseHTTPRequestHandler):
    """A server between a client and another one, which hears what is asked, and may break answers off."""

    endpoint: ClassVar[str] = ""
    asked: ClassVar[list[str]] = []
    breaks: ClassVar[int] = 0  # answers of more than a block that are still to be broken off

    def _pass_on(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        line = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=30)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        line.request(self.command, self.path, body, dict(self.headers))
        answer = line.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        if type(self).breaks and len(data) > BLOCK:
            type(self).breaks -= 1
            data = data[: BLOCK // 2]
        self.wfile.write(data)
        line.close()

    do_GET = do_HEAD = do_PUT = do_POST = _pass_on  # noqa: N815  # as the library calls them

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def between(endpoint: str) -> Iterator[tuple[str, type[Between]]]:
    """The address of a new server before another one, and its handler."""
    handler = type("OneBetween", (Between,), {"endpoint": endpoint, "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3 server, and the environment of who may use it."""

    url: str
    endpoint: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    def put(self, name: str, data: bytes) -> str:
        """Store an object; returns its URL."""
        address = f"{self.endpoint}/{self.url.removeprefix('s3://')}/{name}"
        put(address, data)
        return f"{self.url}/{name}"


def sales(shops: int = 2, days: int = DAYS) -> pa.Table:
    """Daily sales of some shops, by name."""
    day = np.tile(np.datetime64("2024-01-01") + np.arange(days), shops)
    shop = np.repeat([f"shop {number}" for number in range(shops)], days)
    sold = 10.0 + np.arange(shops * days) % 7 + np.repeat(np.arange(shops), days)
    return pa.table({"shop": pa.array(shop.tolist()), "day": pa.array(day.tolist(), pa.date32()), "sold": sold})
