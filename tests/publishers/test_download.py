"""Downloads against a server on this machine: slow, failing, lying, refusing."""

import hashlib
import socket
from pathlib import Path

import pytest
from loopback import Answer, Site, site

from zhol.core.errors import ZholError
from zhol.publishers.download import Limits, download, kind_of, sha256_of

TABLE = b"year,n\n2024,5\n"
QUICK = Limits(timeout=0.4, attempts=3, wait=0.0, max_bytes=1000)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with site() as running:
        yield running


def fetch(url: str, folder: Path, **options):
    return download(url, folder / "table.csv", **{"kind": "csv", "limits": QUICK, **options})


def fails(url: str, folder: Path, **options) -> str:
    """The error's line; and nothing may be left behind."""
    with pytest.raises(ZholError) as error:
        fetch(url, folder, **options)
    assert list(folder.iterdir()) == []
    line = str(error.value)
    assert "\n" not in line
    return line


def test_a_file_arrives_whole_with_its_papers(server: Site, tmp_path):
    seen = []
    got = fetch(server.say("/t.csv", TABLE), tmp_path, progress=lambda *step: seen.append(step))
    assert (tmp_path / "table.csv").read_bytes() == TABLE
    assert got.size == len(TABLE)
    assert got.sha256 == hashlib.sha256(TABLE).hexdigest() == sha256_of(got.path)
    assert got.url == server.address + "/t.csv"
    assert got.retrieved.endswith("Z")
    assert seen == [("table.csv", len(TABLE), len(TABLE))]
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_without_a_stated_length_the_total_is_unknown(server: Site, tmp_path):
    seen = []
    fetch(server.say("/t.csv", Answer(TABLE, length=-1)), tmp_path, progress=lambda *step: seen.append(step))
    assert seen == [("table.csv", len(TABLE), None)]


def test_a_fault_that_passes_is_tried_again(server: Site, tmp_path):
    url = server.say("/t.csv", Answer(b"oh", 500), Answer(b"busy", 429), Answer(TABLE))
    assert fetch(url, tmp_path).size == len(TABLE)
    assert len(server.asked) == 3


def test_a_cut_download_is_tried_again(server: Site, tmp_path):
    assert fetch(server.say("/t.csv", Answer(TABLE, length=500), Answer(TABLE)), tmp_path).size == len(TABLE)


def test_a_moved_address_is_followed(server: Site, tmp_path):
    server.say("/new.csv", TABLE)
    assert fetch(server.say("/t.csv", Answer(b"", 302, {"Location": "/new.csv"})), tmp_path).size == len(TABLE)


def test_a_server_that_stays_ill(server: Site, tmp_path):
    line = fails(server.say("/t.csv", Answer(b"oh", 503)), tmp_path, advice="use --from")
    assert line == "127.0.0.1 answered 503 Service Unavailable for /t.csv; use --from"
    assert len(server.asked) == QUICK.attempts


def test_a_missing_page_is_not_asked_for_again(server: Site, tmp_path):
    assert fails(server.address + "/none.csv", tmp_path) == "127.0.0.1 answered 404 Not Found for /none.csv"
    assert len(server.asked) == 1


def test_a_server_that_does_not_answer_in_time(server: Site, tmp_path):
    line = fails(
        server.say("/t.csv", Answer(TABLE, delay=1.0)), tmp_path, limits=Limits(timeout=0.2, attempts=1, wait=0.0)
    )
    assert line == "127.0.0.1 did not answer within 0.2 s"


def test_nobody_there(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = fails(f"http://127.0.0.1:{port}/t.csv", tmp_path, advice="or use --from FILE")
    assert line.startswith("cannot reach 127.0.0.1; found '")
    assert line.endswith("; are you online? or use --from FILE")


def test_a_name_that_no_one_has(tmp_path):
    line = fails("http://nowhere.invalid/t.csv", tmp_path)
    assert line.startswith("cannot reach nowhere.invalid")
    assert line.endswith("are you online?")


def test_a_download_that_is_always_cut(server: Site, tmp_path):
    line = fails(server.say("/t.csv", Answer(TABLE, length=500)), tmp_path)
    assert line == "the download from 127.0.0.1 was cut short; try again"


def test_a_file_said_to_be_too_large_is_not_begun(server: Site, tmp_path):
    seen = []
    line = fails(server.say("/t.csv", b"x" * 5000), tmp_path, progress=lambda *step: seen.append(step))
    assert line == "the file of 127.0.0.1 is larger than 0.001 MB; nothing was kept"
    assert seen == []


def test_a_file_that_grows_too_large_is_stopped(server: Site, tmp_path):
    line = fails(server.say("/t.csv", Answer(b"x" * 5000, length=-1)), tmp_path)
    assert line == "the file of 127.0.0.1 is larger than 0.001 MB; nothing was kept"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><html><body>Sorry</body></html>", "a web page"),
        (b"<?xml version='1.0'?><fault>SUBMITTED</fault>", "SDMX-ML"),
        (b'{"error": "quota"}', "JSON"),
        (b"PK\x03\x04rest", "an Excel workbook"),
        (b"", "nothing"),
        (b"  \n ", "nothing"),
    ],
)
def test_a_file_of_another_kind(server: Site, tmp_path, body: bytes, said: str):
    url = server.say("/t.csv", Answer(body, headers={"Content-Type": "text/csv"}))
    assert fails(url, tmp_path, advice="use --from") == f"127.0.0.1 sent {said} instead of a CSV table; use --from"


def test_a_wrong_checksum(server: Site, tmp_path):
    line = fails(server.say("/t.csv", TABLE), tmp_path, sha256="0" * 64)
    assert line.startswith("the file is not the expected one, its sha256 differs; found '")


def test_the_right_checksum_in_capitals(server: Site, tmp_path):
    expected = hashlib.sha256(TABLE).hexdigest().upper()
    assert fetch(server.say("/t.csv", TABLE), tmp_path, sha256=expected).sha256 == expected.lower()


def test_what_stood_there_stays_if_the_download_fails(server: Site, tmp_path):
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(ZholError):
        fetch(server.say("/t.csv", Answer(b"oh", 404)), tmp_path)
    assert (tmp_path / "table.csv").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_download_leaves_nothing(server: Site, tmp_path):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server.say("/t.csv", TABLE), tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xef\xbb\xbfyear,n", "csv"),
        (b"\n  [1]", "json"),
        (b"<HTML>", "html"),
        (b"<mes:GenericData xmlns:mes='x'>", "xml"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "xml"),
    ],
)
def test_kinds_by_the_first_bytes(start: bytes, kind: str):
    assert kind_of(start) == kind
