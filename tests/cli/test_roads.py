"""zhol roads: tables, market and map from the command line."""

import csv
import io
import json

import pytest

from zhol.cli import main


def run(capsys, *words):
    with pytest.raises(SystemExit) as leave:
        main(["roads", "central_asia", *words])
    said = capsys.readouterr()
    return leave.value.code, said.out, said.err


def test_table_for_a_reader(capsys):
    code, out, err = run(capsys, "--from", "AFG", "--to", "XEU")
    assert code == 0
    assert "AFG>IRN>TUR>XEU" in out
    assert "candidate, not an observation" in err


def test_machine_formats_agree(capsys):
    _, text, _ = run(capsys, "--from", "AFG", "--to", "XEU", "--json")
    rows = json.loads(text)
    _, text, _ = run(capsys, "--from", "AFG", "--to", "XEU", "--csv")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [r["places"] for r in rows] == [line["places"] for line in lines]
    assert all(r["price_low"] < r["price_median"] < r["price_high"] for r in rows)
    assert [len(r["legs"]) for r in rows] == [len(line["legs"].split(";")) for line in lines]


def test_market(capsys):
    _, out, _ = run(capsys, "--from", "AFG", "--to", "XEU", "--persons", "20000", "--draws", "20")
    assert "Cited beside, not used" in out
    _, text, _ = run(capsys, "--from", "AFG", "--to", "XEU", "--persons", "20000", "--draws", "20", "--json")
    found = json.loads(text)
    assert found["total"]["persons"] == pytest.approx([20_000] * 3)
    assert {r["figure_id"] for r in found["cited"]} == {"F105", "F106"}


def test_a_closed_leg_sends_the_road_elsewhere(capsys):
    _, text, _ = run(capsys, "--from", "AFG", "--to", "XEU", "--without", "TUR-XEU", "--json")
    assert not [r for r in json.loads(text) if "TUR>XEU" in r["places"]]


def test_map(capsys, tmp_path):
    target = tmp_path / "roads.svg"
    code, out, _ = run(capsys, "--from", "AFG", "--map", str(target))
    assert (code, out.strip()) == (0, str(target))
    text = target.read_text(encoding="utf-8")
    assert "not for a way on the ground" in text
    assert "by sea" in text


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--from", "AFG", "--to", "XRW"), "zhol: no road leads there; found 'AFG>XRW'"),
        (("--from", "QQQ"), "zhol: no such corridor; found 'QQQ>*'"),
        (("--without", "TUR"), "zhol: --without; found 'TUR', expected two places with a hyphen, such as TUR-XEU"),
        (("--map", "roads.gif"), "zhol: roads.gif: unknown kind of picture; found '.gif', expected .svg or .png"),
        (("--json", "--csv"), "zhol: choose one of --json and --csv"),
        (("--persons", "5", "--from", "AFG", "--json", "--csv"), "zhol: choose one of --json and --csv"),
    ],
)
def test_one_line_for_a_mistake(capsys, words, line):
    code, out, err = run(capsys, *words)
    assert code == 2
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert out == ""
