"""Where a URL leads to: a file system, and a path in it."""

from __future__ import annotations

import errno
import glob
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote

import pyarrow as pa

from rnncli.data.waiting import patiently
from rnncli.errors import InputRefused, RnncliError, StorageFailed, UsageError, without_secrets
from rnncli.near import did_you_mean
from rnncli.registry import split_url

T = TypeVar("T")
_ACCOUNT = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
_DENIED = ("ACCESS_DENIED", "AccessDenied", "Forbidden", "INVALID_ACCESS_KEY_ID", "SIGNATURE", "HTTP status 403", "403")
_NO_BUCKET = ("NO_SUCH_BUCKET", "The specified bucket does not exist", "ContainerNotFound")
_WHO = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws, say who asks",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login, says who asks",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or az login, say who asks",
    "abfss": "AZURE_STORAGE_ACCOUNT_KEY, or az login, says who asks",
}
_ASKED = {
    "s3": ("region", "endpoint_override", "scheme"),
    "gs": ("endpoint_override", "scheme", "retry_limit_seconds", "project_id"),
    "az": (),
    "abfss": ("blob_storage_authority", "dfs_storage_authority", "enable_tls", "credential_kind"),
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
            return InputRefused(f"cannot {doing}: access is denied", where=self.name, hint=_WHO[self.scheme])
        return StorageFailed(f"cannot {doing}: {_short(text)}", where=self.name, hint="check the network; run it again")


def place_of(url: str) -> Place:
    """The place that a URL leads to; nothing is asked for yet. UsageError for one that leads nowhere."""
    name = without_secrets(url)
    scheme, bare, asked = split_url(url)
    _refuse_credentials(url, scheme, name)
    _refuse_no_text(bare, name)
    if not bare.partition("/")[0]:
        raise UsageError("the URL names no bucket", where=name, hint=f"{scheme}://bucket/folder/sales.parquet")
    if glob.has_magic(bare.partition("/")[0]):
        raise UsageError("the bucket's name is a pattern", where=name, hint="name one bucket")
    unknown = next((key for key in parse_qs(asked, keep_blank_values=True) if key not in _ASKED[scheme]), None)
    if unknown is not None:
        hint = did_you_mean(unknown, _ASKED[scheme]) if _ASKED[scheme] else "leave it out"
        raise UsageError(f"the URL asks for {unknown!r}, which {scheme} does not know", where=name, hint=hint)
    if scheme == "az":
        return Place(name, scheme, bare, _azure(name))
    if scheme == "s3" and "region=" not in asked:
        asked = "&".join(filter(None, [asked, _region()]))
    uri = f"{scheme}://{quote(bare, safe='/@:')}{'?' if asked else ''}{asked}"
    system, path = Place(name, scheme, bare, None).told(lambda: _system(uri, name))
    return Place(name, scheme, path, system)


def _system(uri: str, name: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. UsageError where there is none."""
    from pyarrow.fs import FileSystem

    try:
        found: tuple[Any, str] = FileSystem.from_uri(uri)
    except pa.ArrowInvalid as error:
        says = f"the URL leads nowhere: {_short(without_secrets(str(error)))}"
        raise UsageError(says, where=name, hint="check the URL") from None
    return found


def _region() -> str:
    """What saves a question to Amazon: where the bucket is, or that it is on a server of another kind."""
    said = next((os.environ[key] for key in ("AWS_REGION", "AWS_DEFAULT_REGION") if os.environ.get(key)), "")
    elsewhere = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return f"region={said or 'us-east-1'}" if said or elsewhere else ""


def _refuse_credentials(url: str, scheme: str, name: str) -> None:
    """UsageError for keys in a URL, which would be seen in lists of processes: the environment is for them."""
    host = url.partition("://")[2].partition("/")[0]
    if scheme in ("s3", "gs") and ("@" in host or ":" in host):
        raise UsageError("the URL of a bucket holds no keys", where=name, hint=_WHO[scheme])


def _refuse_no_text(path: str, name: str) -> None:
    """UsageError for a path that no object can have."""
    try:
        found = path.encode()
    except UnicodeEncodeError:
        found = b"\0"
    if b"\0" in found:
        raise UsageError("the URL is no text in UTF-8", where=repr(name)[1:-1], hint="check the URL")


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
