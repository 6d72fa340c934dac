"""zhol brief and zhol map: files named on the last lines, bad input in one line with exit code 2."""

import json

import pytest

from zhol.cli import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_brief_writes_both_files_and_says_where(capsys, tmp_path):
    code, out, _ = run(capsys, "brief", "UZB", "--out", str(tmp_path / "made"))
    assert code == 0
    assert out.split() == [str(tmp_path / "made" / f"uzbekistan.{form}") for form in ("html", "pdf")]
    assert (tmp_path / "made" / "uzbekistan.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("brief", "ZZZ"), "zhol: unknown place; found 'ZZZ', expected one of KAZ"),
        (("brief", "KAZ", "--region", "atlantis"), "zhol: no such pack; found 'atlantis'"),
        (("map", "corridors.gif"), "zhol: corridors.gif: unknown kind of picture; found '.gif', expected .svg or .png"),
        (("map", "--place", "ZZZ"), "zhol: unknown place; found 'ZZZ', expected one of KAZ"),
        (("map", "--year", "1950"), "zhol: no stocks for this year; found 1950, expected one of 1990"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(capsys, tmp_path, monkeypatch, arguments, line):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_map_draws_the_corridors_of_a_place_and_says_that_boundaries_are_no_endorsement(capsys, tmp_path):
    code, out, _ = run(capsys, "map", str(tmp_path / "tjk.svg"), "--place", "TJK", "--top", "6")
    assert code == 0
    assert out.strip() == str(tmp_path / "tjk.svg")
    svg = (tmp_path / "tjk.svg").read_text("utf-8")
    assert svg.startswith("<svg")
    for words in ("Tajikistan", "Russia", "no endorsement"):
        assert words in svg


def test_map_gives_its_figures_with_their_spread(capsys):
    code, out, _ = run(capsys, "map", "--json", "--top", "5", "--year", "2020")
    assert code == 0
    rows = json.loads(out)
    assert len(rows) == 5
    for row in rows:
        assert row["low"] <= row["value"] <= row["high"]
        assert row["sources"]
        assert {row["origin"], row["destination"]} & {"KAZ", "KGZ", "TJK", "UZB", "TKM"}
