"""Where a URL leads to: a file system, and a path in it."""

from __future__ import annotations

import errno
import glob
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import pyarrow as pa

from rnncli.data.waiting import patiently
from rnncli.errors import InputRefused, RnncliError, StorageFailed, UsageError, without_secrets
from rnncli.registry import split_url

T = TypeVar("T")
BUCKETS = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "abfs", "abfss": "abfss"}
_ACCOUNT = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
_DENIED = ("ACCESS_DENIED", "AccessDenied", "Forbidden", "INVALID_ACCESS_KEY_ID", "SIGNATURE", "HTTP status 403", "403")
_NO_BUCKET = ("NO_SUCH_BUCKET", "The specified bucket does not exist", "ContainerNotFound")
_WHO = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws, say who asks",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login, says who asks",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or az login, say who asks",
}


@dataclass(frozen=True)
class Place:
    """A path in a file system of a bucket; `name` is its URL without secrets, as messages have it."""

    name: str
    scheme: str
    path: str
    system: Any = field(repr=False)

    def beside(self, path: str) -> Place:
        """Another path in the same file system."""
        begin = self.name.partition("://")[0]
        return Place(f"{begin}://{path}", self.scheme, path, self.system)

    def told(self, work: Callable[[], T], doing: str = "read") -> T:
        """What `work` returns, while signals are heard; what a file system raises is one error of ours."""
        try:
            return patiently(work, lambda: None)
        except RnncliError:
            raise
        except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise self._explained(error, doing) from None

    def _explained(self, error: Exception, doing: str) -> RnncliError:
        text = without_secrets(" ".join(str(error).split()))
        if any(sign in text for sign in _NO_BUCKET):
            return InputRefused("there is no such bucket", where=self.name, hint="check the URL")
        if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) == errno.ENOENT:
            return InputRefused("there is no such file", where=self.name, hint="check the name")
        if any(sign in text for sign in _DENIED):
            who = next((says for scheme, says in _WHO.items() if self.scheme.startswith(scheme[:2])), "")
            return InputRefused(f"cannot {doing}: access is denied", where=self.name, hint=who)
        return StorageFailed(f"cannot {doing}: {_short(text)}", where=self.name, hint="check the network; run it again")


def place_of(url: str) -> Place:
    """The place that a URL leads to; nothing is asked for yet. UsageError for one that leads nowhere."""
    from pyarrow.fs import FileSystem

    name = without_secrets(url)
    _refuse_credentials(url, name)
    scheme, bare, asked = split_url(url)
    if not bare.strip("/"):
        raise UsageError("the URL names no bucket", where=name, hint=f"{scheme}://bucket/folder/sales.parquet")
    if glob.has_magic(bare.partition("/")[0]):
        raise UsageError("the bucket's name is a pattern", where=name, hint="name one bucket")
    if scheme == "az":
        return Place(name, scheme, bare, _azure(name))
    if scheme == "s3" and "region=" not in asked:
        asked = "&".join(filter(None, [asked, _region()]))
    uri = f"{BUCKETS[scheme]}://{quote(bare, safe='/@:')}{'?' if asked else ''}{asked}"
    unknown = Place(name, scheme, bare, None)
    try:
        system, path = unknown.told(lambda: FileSystem.from_uri(uri))
    except ValueError as error:
        raise UsageError(f"the URL leads nowhere: {_short(without_secrets(str(error)))}", where=name) from None
    return Place(name, scheme, path, system)


def _region() -> str:
    """What saves a question to Amazon: where the bucket is, or that it is on a server of another kind."""
    said = next((os.environ[key] for key in ("AWS_REGION", "AWS_DEFAULT_REGION") if os.environ.get(key)), "")
    elsewhere = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return f"region={said or 'us-east-1'}" if said or elsewhere else ""


def _refuse_credentials(url: str, name: str) -> None:
    """UsageError for keys in a URL, which would be seen in lists of processes: the environment is for them."""
    found = urlsplit(url.replace("#", "%23"))
    if "@" in found.netloc and found.scheme in ("s3", "gs", "gcs"):
        raise UsageError("the URL of a bucket holds no keys", where=name, hint=_WHO[BUCKETS[found.scheme]])


def _azure(name: str) -> Any:
    from pyarrow.fs import AzureFileSystem

    account = next((os.environ[key] for key in _ACCOUNT if os.environ.get(key)), None)
    if account is None:
        raise UsageError("nothing says whose containers these are", where=name, hint=_WHO["az"])
    return AzureFileSystem(account, account_key=os.environ.get("AZURE_STORAGE_ACCOUNT_KEY"))


def _short(text: str) -> str:
    """The part of a file system's message that says something."""
    found = re.search(r"(AWS Error .*)", text)
    return (found[1] if found else text)[:300].rstrip(".")
