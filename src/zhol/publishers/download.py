"""One file from one address: streamed, counted, checked, and in place only when it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    import httpx

# Called with the name of the file, bytes so far and bytes in all (None if the server does not say).
Progress = Callable[[str, int, int | None], None]

# Two publishers answer 403 to a program that does not look like a browser; this says both what it is and whose.
USER_AGENT = "Mozilla/5.0 (compatible; zhol; +https://zhol.readthedocs.io)"

KINDS = {
    "xlsx": "an Excel workbook",
    "json": "JSON",
    "csv": "a CSV table",
    "xml": "SDMX-ML",
    "html": "a web page",
}


@dataclass(frozen=True)
class Limits:
    """How patient to be: seconds without an answer, attempts, seconds before the second attempt, bytes in all."""

    timeout: float = 60.0
    attempts: int = 4
    wait: float = 1.0
    max_bytes: int = 60_000_000


@dataclass(frozen=True)
class Download:
    """A file that arrived whole."""

    path: Path
    url: str
    size: int
    sha256: str
    retrieved: str


class _Passing(Exception):
    """A fault that may pass: try again, and in the end raise the error inside."""

    def __init__(self, error: ZholError) -> None:
        super().__init__(str(error))
        self.error = error


def download(
    url: str,
    path: Path,
    *,
    kind: str,
    limits: Limits | None = None,
    progress: Progress | None = None,
    sha256: str | None = None,
    advice: str = "",
) -> Download:
    """Download ``url`` to ``path``.

    Parameters
    ----------
    url : str
        An http(s) address.
    path : Path
        Where the file goes; its folder exists. Nothing is there until the download is whole.
    kind : {"xlsx", "json", "csv", "xml", "html"}
        What the file must be, judged by its first bytes: servers name types wrongly, and answer errors with web pages.
    limits : Limits, optional
        Patience and size.
    progress : callable, optional
        Called with (name, bytes so far, bytes in all or None).
    sha256 : str, optional
        Checksum that the file must have.
    advice : str
        Added to errors: what else the user can do.

    Returns
    -------
    Download

    Raises
    ------
    ZholError
        Offline, no answer in time, an HTTP error, a wrong kind of file, too large, cut short, or a wrong checksum.
    """
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    limits = limits or Limits()
    retrying = Retrying(
        stop=stop_after_attempt(limits.attempts),
        wait=wait_exponential(multiplier=limits.wait, max=30),
        retry=retry_if_exception_type(_Passing),
        reraise=True,
    )
    try:
        size, digest = retrying(_once, url, path, kind, limits, progress, sha256, advice)
    except _Passing as passing:
        raise passing.error from passing.__cause__
    return Download(path, url, size, digest, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _once(
    url: str, path: Path, kind: str, limits: Limits, progress: Progress | None, sha256: str | None, advice: str
) -> tuple[int, str]:
    import httpx

    host = httpx.URL(url).host
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with (
            os.fdopen(handle, "wb") as file,
            httpx.stream(
                "GET", url, headers={"User-Agent": USER_AGENT}, timeout=limits.timeout, follow_redirects=True
            ) as response,
        ):
            _check_status(response, host, advice)
            size, digest = _receive(response, file.write, path.name, host, limits, progress)
        _check_kind(part, kind, host, advice)
        if sha256 is not None and digest != sha256.lower():
            raise ZholError("the file is not the expected one, its sha256 differs", found=digest, expected=sha256[:64])
        part.chmod(0o644)
        part.replace(path)
        return size, digest
    except httpx.TimeoutException as error:
        raise _Passing(ZholError(f"{host} did not answer within {limits.timeout:g} s", hint=advice or None)) from error
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        raise _Passing(ZholError(f"the download from {host} was cut short", hint="try again")) from error
    except httpx.TransportError as error:
        reason = " ".join(str(error).split())
        hint = f"are you online? {advice}".strip()
        raise _Passing(ZholError(f"cannot reach {host}", found=reason, hint=hint)) from error
    except (httpx.InvalidURL, httpx.TooManyRedirects, httpx.DecodingError) as error:
        raise ZholError(f"{host} sent an answer that cannot be read", found=str(error), hint=advice or None) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def _check_status(response: httpx.Response, host: str, advice: str) -> None:
    if response.is_success:
        return
    error = ZholError(
        f"{host} answered {response.status_code} {response.reason_phrase} for {response.url.path}", hint=advice or None
    )
    if response.status_code == 429 or response.status_code >= 500:
        raise _Passing(error)
    raise error


def _receive(
    response: httpx.Response,
    write: Callable[[bytes], int],
    name: str,
    host: str,
    limits: Limits,
    progress: Progress | None,
) -> tuple[int, str]:
    # Without an encoding the header counts the very bytes we write; with one, only httpx can tell a cut.
    stated = response.headers.get("Content-Length", "")
    total = int(stated) if stated.isdigit() and "Content-Encoding" not in response.headers else None
    size, digest = 0, hashlib.sha256()
    if total is not None and total > limits.max_bytes:
        raise _too_large(host, limits)
    for chunk in response.iter_bytes(1 << 16):
        size += len(chunk)
        if size > limits.max_bytes:
            raise _too_large(host, limits)
        digest.update(chunk)
        write(chunk)
        if progress is not None:
            progress(name, size, total)
    if total is not None and size != total:
        raise _Passing(ZholError(f"the download from {host} was cut short", found=f"{size} of {total} bytes"))
    return size, digest.hexdigest()


def _too_large(host: str, limits: Limits) -> ZholError:
    return ZholError(f"the file of {host} is larger than {limits.max_bytes / 1e6:g} MB", hint="nothing was kept")


def kind_of(start: bytes) -> str:
    """Kind of a file by its first bytes: xlsx, json, html, xml, csv or empty.

    Examples
    --------
    >>> kind_of(b"<!DOCTYPE html><html>"), kind_of(b'[{"page":1}'), kind_of(b"year,n")
    ('html', 'json', 'csv')
    """
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "empty"
    if text.startswith(b"PK\x03\x04"):
        return "xlsx"
    if text[:1] in (b"{", b"["):
        return "json"
    if text[:1] == b"<":
        head = text[:1000].lower()
        return "html" if b"<html" in head or b"<!doctype html" in head else "xml"
    return "csv"


def check_kind(path: Path, *kinds: str) -> str:
    """Kind of a file on disk; a one-line error if it is none of ``kinds``."""
    with path.open("rb") as file:
        found = kind_of(file.read(4096))
    if found not in kinds:
        raise ZholError(
            "wrong kind of file",
            file=path,
            found="nothing" if found == "empty" else KINDS[found],
            expected=" or ".join(KINDS[k] for k in kinds),
        )
    return found


def _check_kind(part: Path, kind: str, host: str, advice: str) -> None:
    with part.open("rb") as file:
        found = kind_of(file.read(4096))
    if found == kind:
        return
    said = "nothing" if found == "empty" else KINDS[found]
    raise ZholError(f"{host} sent {said} instead of {KINDS[kind]}", hint=advice or None)


def sha256_of(path: Path) -> str:
    """Checksum of a file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as empty:
    ...     sha256_of(Path(empty.name))[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
