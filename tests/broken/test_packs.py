"""Bad packs: one tiny broken file a case, one exact line a case, exit code 2, and nothing written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import zhol
from zhol.cli import main
from zhol.region.manifest import Manifest
from zhol.region.schema import limits, tables

PACKS = Path(__file__).parent / "packs"
MESSAGES = yaml.safe_load((PACKS / "messages.yaml").read_text(encoding="utf-8"))
# Lists that the schema gives, so that a message need not be written anew when a table is added.
LISTS = {
    "{tables}": ", ".join(tables()),
    "{keys}": ", ".join(Manifest.model_fields),
    "{units}": " | ".join(tables()["figures"].column("unit").of),
}


@pytest.fixture
def pack(tmp_path):
    """A copy of the whole pack, to be broken."""
    return Path(shutil.copytree(PACKS / "whole", tmp_path / "pack"))


def refused(pack, message, capsys):
    """The library says exactly this line, and so does the command line, which leaves with 2 and writes nothing."""
    before = listing(pack.parent)
    with pytest.raises(zhol.ZholError) as raised:
        zhol.load(pack)
    assert str(raised.value) == message
    with pytest.raises(SystemExit) as left:
        main(["region", "check", str(pack)])
    shown = capsys.readouterr()
    assert (left.value.code, shown.out, shown.err) == (2, "", f"zhol: {message}\n")
    assert listing(pack.parent) == before


def listing(folder):
    return sorted((str(p), p.lstat().st_mtime_ns) for p in folder.rglob("*"))


def test_the_whole_pack_loads():
    assert zhol.load(PACKS / "whole").places.height == 6


def test_every_case_has_a_file_and_a_message():
    assert sorted(MESSAGES) == sorted(p.name for p in (PACKS / "cases").iterdir())
    assert len(MESSAGES) >= 30


@pytest.mark.parametrize("case", sorted(MESSAGES))
def test_broken_file(case, pack, capsys):
    shutil.copytree(PACKS / "cases" / case, pack, dirs_exist_ok=True)
    message = MESSAGES[case]
    for mark, words in LISTS.items():
        message = message.replace(mark, words)
    refused(pack, message, capsys)


WHOLE = (PACKS / "whole" / "stocks.csv").read_bytes()
BYTES = {
    "byte order mark": (
        b"\xef\xbb\xbf" + WHOLE,
        "stocks.csv: starts with a byte order mark; save it as plain UTF-8 without BOM",
    ),
    "UTF-16": (
        WHOLE.decode().encode("utf-16"),
        "stocks.csv: wrong encoding; found 'UTF-16', expected UTF-8; save it as UTF-8",
    ),
    "Windows-1251": (
        WHOLE.replace(b"published\n", "в печати\n".encode("cp1251"), 2),
        "stocks.csv, row 2: wrong encoding; found 'byte 0xe2', expected UTF-8; save it as UTF-8",
    ),
    "zip": (
        b"PK\x03\x04" + bytes(100),
        "stocks.csv: not a text file; found 'a zip or Excel file', expected UTF-8 text",
    ),
    "gzip": (b"\x1f\x8b" + bytes(100), "stocks.csv: not a text file; found 'a gzip file', expected UTF-8 text"),
    "Parquet": (b"PAR1" + bytes(100), "stocks.csv: not a text file; found 'a Parquet file', expected UTF-8 text"),
    "zero byte": (
        WHOLE.replace(b"200", b"2\x000"),
        "stocks.csv, row 3: not a text file; found 'a zero byte', expected UTF-8 text",
    ),
}


@pytest.mark.parametrize("kind", BYTES)
def test_bytes_that_are_no_csv(kind, pack, capsys):
    data, message = BYTES[kind]
    (pack / "stocks.csv").write_bytes(data)
    refused(pack, message, capsys)


def test_ten_million_rows(pack, capsys):
    with (pack / "stocks.csv").open("wb") as file:
        file.write(WHOLE.partition(b"\n")[0] + b"\n")
        for _ in range(100):
            file.write(b"2015,UZB,KAZ,2024,1,,S1,published\n" * 100_000)
    refused(pack, "stocks.csv: too many rows; expected at most 1,000,000", capsys)


def test_too_many_bytes(pack, capsys):
    with (pack / "stocks.csv").open("wb") as file:
        file.truncate(limits().bytes + 1)  # a hole: large to read, nothing on disk
    refused(pack, "stocks.csv: file is too large; expected at most 200,000,000 bytes", capsys)


def test_large_manifest(pack, capsys):
    (pack / "region.yaml").write_text("# " + "x" * limits().manifest)
    refused(pack, "region.yaml: file is too large; expected at most 100,000 bytes", capsys)


def test_deep_manifest(pack, capsys):
    (pack / "region.yaml").write_text("name: " + "[" * 20_000)
    refused(pack, "region.yaml: not valid YAML; it is nested too deeply", capsys)


@pytest.mark.parametrize("name", ["places.csv", "sources.csv"])
def test_required_table_missing(name, pack, capsys):
    (pack / name).unlink()
    refused(pack, f"{name}: required table is missing", capsys)


def test_manifest_missing(pack, capsys):
    (pack / "region.yaml").unlink()
    refused(pack, "pack: pack has no region.yaml; `zhol region new NAME` makes one to start from", capsys)


def test_no_such_pack(tmp_path, capsys):
    gone = tmp_path / "gone"
    names = " or ".join(p.parent.name for p in sorted(Path(zhol.__file__).parent.glob("packs/*/region.yaml")))
    shown = repr(str(gone))  # a long one is cut at 60 characters
    shown = shown if len(shown) <= 60 else shown[:59] + "…"
    refused(gone, f"no such pack; found {shown}, expected {names} or the folder of a pack", capsys)


def test_link_out_of_the_pack(pack, tmp_path, capsys):
    (tmp_path / "elsewhere.csv").write_bytes(WHOLE)
    (pack / "stocks.csv").unlink()
    (pack / "stocks.csv").symlink_to(tmp_path / "elsewhere.csv")
    refused(pack, "stocks.csv: link leads out of the pack; put the file itself there", capsys)


@pytest.mark.parametrize("to", ["stocks.csv", "gone.csv", "scenarios"])
def test_link_that_leads_to_no_file(to, pack, capsys):
    (pack / "scenarios").mkdir()
    (pack / "stocks.csv").unlink()
    (pack / "stocks.csv").symlink_to(to)
    refused(pack, "stocks.csv: not a regular file", capsys)


def test_file_name_that_cannot_be_shown(pack, capsys):
    (pack / "a\x1b[31m\n.csv").write_text("a\n")
    refused(pack, "file name cannot be shown; found 'a\\x1b[31m\\n.csv'; rename it", capsys)


def test_folder_with_the_name_of_a_table(pack, capsys):
    (pack / "stocks.csv").unlink()
    (pack / "stocks.csv").mkdir()
    refused(pack, "stocks.csv: not a regular file", capsys)


def test_pipe_with_the_name_of_a_table(pack, capsys):
    (pack / "stocks.csv").unlink()
    os.mkfifo(pack / "stocks.csv")
    refused(pack, "stocks.csv: not a regular file", capsys)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "stocks.csv", "", "places; drop table stocks", None]
)
def test_table_names_that_are_none(name):
    region = zhol.load(PACKS / "whole")
    for asked in (lambda: region.table(name), lambda: region.provenance(name, 0)):
        with pytest.raises(zhol.ZholError, match=r"^unknown table; found .*, expected one of places, sources"):
            asked()


@pytest.mark.parametrize("name", ["../escape", "a/b", "", "Upper", "1st", "x" * 41, ".hidden", "a b", "имя", "a\n"])
def test_names_that_no_pack_may_have(name, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["region", "new", name, "--into", str(tmp_path)])
    shown = capsys.readouterr()
    expected = "expected small letters, digits and underscores, first a letter, at most 40\n"
    assert left.value.code == 2
    assert shown.err == f"zhol: not a name for a pack; found {name!r}, {expected}"
    assert list(tmp_path.iterdir()) == []


def test_a_new_pack_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("years of it")
    with pytest.raises(SystemExit) as left:
        main(["region", "new", "mine", "--into", str(tmp_path)])
    assert left.value.code == 2
    assert "already there" in capsys.readouterr().err
    assert [p.name for p in tmp_path.rglob("*")] == ["mine", "work.txt"]


@pytest.mark.parametrize(
    ("name", "into", "message"),
    [
        ("central_asia", "", "zhol: a pack of this name ships with zhol; found 'central_asia'; choose another name\n"),
        ("mine", "nowhere", "zhol: no such folder; found 'nowhere'\n"),
    ],
)
def test_a_new_pack_that_cannot_be(name, into, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["region", "new", name, "--into", into or "."])
    assert capsys.readouterr().err == message
    assert list(tmp_path.iterdir()) == []


def test_in_a_process_of_its_own(pack):
    shutil.copytree(PACKS / "cases" / "negative-persons", pack, dirs_exist_ok=True)
    command = [sys.executable, "-m", "zhol", "region", "check", str(pack)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"zhol: {MESSAGES['negative-persons']}\n"
