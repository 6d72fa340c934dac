"""`zhol data`: list, show, sql, build, pull, as a user types them."""

import csv
import io
import json

import pytest
from publisher_files import FILES, book
from shared_data import shared

from zhol import cli
from zhol.cli import output


def run(capsys, *arguments: str, code: int = 0) -> tuple[str, str]:
    """Standard output and standard error of a command."""
    with pytest.raises(SystemExit) as leave:
        cli.main(["data", *arguments])
    output.set_quiet(False)
    told = capsys.readouterr()
    assert leave.value.code == code, told
    return told.out, told.err


def one_line(capsys, *arguments: str) -> str:
    """The one line on standard error with which bad input ends; nothing else is printed."""
    out, err = run(capsys, *arguments, code=2)
    assert out == ""
    assert err.count("\n") == 1
    return err.strip()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_list(capsys):
    out, _ = run(capsys, "list", "--csv")
    tables = {row["table"]: row for row in rows(out)}
    assert {"places", "sources", "stocks", "figures", "events", "legs"} <= set(tables)
    assert (tables["stocks"]["first_year"], tables["stocks"]["last_year"]) == ("1990", "2024")
    assert int(tables["stocks"]["sources"]) == 2
    told = json.loads(run(capsys, "list", "--json")[0])
    assert [t["table"] for t in told] == list(tables)


def test_recalled_rows_are_shown_on_demand_only(capsys):
    with_them = json.loads(run(capsys, "list", "--recalled", "--json")[0])
    without = json.loads(run(capsys, "list", "--json")[0])
    assert sum(t["rows"] for t in with_them) > sum(t["rows"] for t in without)
    asked = "select count(*) as n from events where status = 'recalled'"
    assert run(capsys, "sql", asked, "--csv")[0] == "n\n0\n"
    assert int(rows(run(capsys, "sql", asked, "--csv", "--recalled")[0])[0]["n"]) > 0


def test_show(capsys):
    out, _ = run(capsys, "show", "places", "--csv")
    places = {row["place"]: row for row in rows(out)}
    assert places["KAZ"]["name"] == "Kazakhstan"
    shown, err = run(capsys, "show", "stocks")
    assert "persons" in shown
    assert "more rows; --json or --csv prints them all" in err
    assert run(capsys, "--quiet", "show", "stocks")[1] == ""


def test_show_where_a_row_comes_from(capsys):
    told = {p["field"]: p["value"] for p in json.loads(run(capsys, "show", "stocks", "--row", "0", "--json")[0])}
    assert told["file"] == "stocks.csv, line 2"
    assert told[f"source {told['source_id']}: publisher"].startswith("United Nations")
    assert "row" in one_line(capsys, "show", "stocks", "--row", "99999999")


def test_sql_gives_the_publishers_figures_under_both_revisions(capsys):
    corridors = {("UZB", "KAZ"), ("RUS", "KAZ"), ("TJK", "RUS"), ("KGZ", "TUR"), ("AFG", "IRN"), ("KAZ", "USA")}
    chosen = " or ".join(f"(origin = '{o}' and destination = '{d}')" for o, d in sorted(corridors))
    for revision in ("2020", "2024"):
        with shared("data", "undesa_ims", f"ims_bilateral_rev{revision}.csv").open(encoding="utf-8") as file:
            cells = [r for r in csv.DictReader(file) if (r["orig"], r["dest"]) in corridors]
        asked = f"select year, origin, destination, persons from stocks where revision = {revision} and ({chosen})"
        ours = rows(run(capsys, "sql", asked, "--csv")[0])
        expected = {(r["year"], r["orig"], r["dest"]): r["total"] for r in cells}
        assert {(r["year"], r["origin"], r["destination"]): r["persons"] for r in ours} == expected


def test_sql_that_cannot_be_answered(capsys):
    assert "nosuch" in one_line(capsys, "sql", "select * from nosuch")
    assert "only one SELECT" in one_line(capsys, "sql", "drop table stocks")
    assert one_line(capsys, "sql", "select 1; select 2").startswith("zhol: only one SELECT can be asked")


def test_unknown_things(capsys, tmp_path):
    assert one_line(capsys, "list", "--region", "atlantis").startswith("zhol: no such pack; found 'atlantis'")
    assert "stocs" in one_line(capsys, "show", "stocs")
    assert one_line(capsys, "list", "--json", "--csv") == "zhol: choose one of --json and --csv"
    assert "(see `zhol --help`)" in one_line(capsys, "build")
    assert one_line(capsys, "build", "--from", str(tmp_path / "none")).startswith("zhol: no such folder")
    assert one_line(capsys, "build", "--from", str(tmp_path)).startswith("zhol: folder holds no source files")
    assert "undesa" in one_line(capsys, "pull", "undessa")
    assert one_line(capsys, "pull", "frontex", "--from", str(tmp_path / "no.xlsx"), "--into", str(tmp_path)) == (
        "zhol: no.xlsx: no such file; check the path given with --from"
    )


def test_a_region_by_its_folder(capsys, tmp_path):
    source = shared("data")
    out, _ = run(capsys, "build", "--from", str(source.parent), "--into", str(tmp_path / "pack"), "--csv")
    written = {row["table"]: int(row["rows"]) for row in rows(out)}
    assert written["stocks"] > 6000
    listed = rows(run(capsys, "list", "--region", str(tmp_path / "pack"), "--recalled", "--csv")[0])
    assert {row["table"]: int(row["rows"]) for row in listed if row["table"] in written} == written


def test_what_can_be_pulled(capsys):
    told = json.loads(run(capsys, "pull", "--json")[0])
    assert {t["source"] for t in told} == {"undesa", "unhcr", "worldbank", "eurostat", "frontex"}
    assert all(t["licence"] and t["endpoint"].startswith("https://") for t in told)
    assert "frontex_detections" in run(capsys, "pull")[0]


def test_pull_from_a_file(capsys, tmp_path):
    made = book(tmp_path / "ims.xlsx", "undesa_2024")
    out, err = run(capsys, "pull", "undesa_ims_2024", "--from", str(made), "--into", str(tmp_path / "in"), "--csv")
    (told,) = rows(out)
    assert (told["dataset"], told["rows"], told["state"]) == ("undesa_ims_2024", "11", "new")
    assert (tmp_path / "in" / "undesa_ims" / "ims_bilateral_rev2024.csv").is_file()
    assert err.startswith("undesa_ims_2024: licence: CC BY 3.0 IGO.")
    pages = [option for n in (1, 2) for option in ("--from", str(FILES / f"unhcr_population_{n}.json"))]
    out, err = run(capsys, "pull", "unhcr_population", *pages, "--into", str(tmp_path / "in"), "--csv", "--quiet")
    assert rows(out)[0]["rows"] == "3"
    assert err == ""


def test_pull_tells_what_a_reader_must_know(capsys, tmp_path):
    made = book(tmp_path / "ibc.xlsx", "frontex")
    _, err = run(capsys, "pull", "frontex", "--from", str(made), "--into", str(tmp_path / "in"))
    assert "nationalities are not known and count as OOO: Ruritania" in err


def test_pull_of_a_broken_file_leaves_nothing(capsys, tmp_path):
    (tmp_path / "ims.xlsx").write_text("<!DOCTYPE html><html>Sorry</html>")
    line = one_line(
        capsys, "pull", "undesa_ims_2020", "--from", str(tmp_path / "ims.xlsx"), "--into", str(tmp_path / "in")
    )
    assert line == "zhol: ims.xlsx: wrong kind of file; found 'a web page', expected an Excel workbook"
    assert [p for p in (tmp_path / "in").rglob("*") if p.is_file()] == []


def test_the_bar_shows_itself_late_and_goes(monkeypatch, capsys):
    from zhol.cli import data

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with data._bar(after=0.0) as progress:
        progress("table.csv", 10, 100)
    assert "table.csv" in capsys.readouterr().err
    with data._bar(after=60.0) as progress:
        progress("table.csv", 10, 100)
    assert "table.csv" not in capsys.readouterr().err
    output.set_quiet(True)
    with data._bar() as progress:
        assert progress is None
    output.set_quiet(False)
