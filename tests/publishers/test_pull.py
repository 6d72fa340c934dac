"""`pull` from end to end: a site on this machine stands for the publishers, and nothing is ever half there."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import yaml
from loopback import Answer, Site, site
from publisher_files import FILES, book, sheet
from shared_data import shared

import zhol
from zhol.core.errors import ZholError
from zhol.publishers.build import build
from zhol.publishers.catalogue import FILE, catalogue
from zhol.publishers.download import Limits
from zhol.publishers.formats.codes import by_m49
from zhol.publishers.pull import pull, summary

QUICK = Limits(timeout=2.0, attempts=2, wait=0.0)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with site() as running:
        yield running


@pytest.fixture
def here(server: Site, tmp_path):
    """A catalogue whose every endpoint is the site of the test."""
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for entry in entries["datasets"]:
        path = entry["endpoint"].split("/", 3)[3]
        entry["endpoint"] = f"{server.address}/{path}"
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    return path


def address(name: str) -> str:
    """Path part of a dataset's endpoint."""
    return "/" + next(d for d in catalogue() if d.id == name).endpoint.split("/", 3)[3]


def names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_one_workbook(server: Site, here, tmp_path):
    made = book(tmp_path / "ims.xlsx", "undesa_2024").read_bytes()
    server.say(address("undesa_ims_2024"), made)
    seen = []
    (got,) = pull(
        "undesa_ims_2024", tmp_path / "in", catalogue=here, limits=QUICK, progress=lambda *step: seen.append(step)
    )
    assert got.path == tmp_path / "in" / "undesa_ims" / "ims_bilateral_rev2024.csv"
    assert got.table.height == 11
    assert pl.read_csv(got.path).equals(got.table)
    assert got.changed is None
    assert seen[-1][1:] == (len(made), len(made))
    papers = yaml.safe_load((got.path.parent / "pulled.yaml").read_text(encoding="utf-8"))["undesa_ims_2024"]
    assert papers["licence"] == "CC BY 3.0 IGO"
    assert papers["rows"] == 11
    assert papers["sha256"] == hashlib.sha256(got.path.read_bytes()).hexdigest()
    assert papers["files"][0]["sha256"] == hashlib.sha256(made).hexdigest()
    assert papers["files"][0]["from"].startswith(server.address)
    assert names(tmp_path / "in") == {
        "undesa_ims/ims_bilateral_rev2024.csv",
        "undesa_ims/pulled.yaml",
        "undesa_ims/downloads/undesa_ims_2024/undesa_pd_2024_ims_stock_by_sex_destination_and_origin.xlsx",
    }


def test_a_publisher_with_several_datasets_and_pulling_again(server: Site, here, tmp_path):
    for revision in ("2024", "2020"):
        server.say(
            address(f"undesa_ims_{revision}"),
            book(tmp_path / "a.xlsx", f"undesa_{revision}").read_bytes(),
        )
    first = pull("undesa", tmp_path / "in", catalogue=here, limits=QUICK)
    again = pull("undesa", tmp_path / "in", catalogue=here, limits=QUICK)
    assert [p.changed for p in first] == [None, None]
    assert [p.changed for p in again] == [False, False]

    def change(rows):
        rows[5][7] = "297"
        return rows

    server.say(address("undesa_ims_2020"), book(tmp_path / "b.xlsx", "undesa_2020", change).read_bytes())
    third = pull("undesa", tmp_path / "in", catalogue=here, limits=QUICK)
    assert summary(third)["state"].to_list() == ["unchanged", "changed"]
    papers = yaml.safe_load((tmp_path / "in" / "undesa_ims" / "pulled.yaml").read_text(encoding="utf-8"))
    assert set(papers) == {"undesa_ims_2020", "undesa_ims_2024"}


def test_pages_of_json(server: Site, here, tmp_path):
    pages = [(FILES / f"unhcr_population_{n}.json").read_bytes() for n in (1, 2)]
    server.say(address("unhcr_population"), *pages)
    (got,) = pull("unhcr_population", tmp_path / "in", catalogue=here, limits=QUICK)
    assert got.table.height == 3
    assert len(got.files) == 2
    assert len(server.asked) == 2
    for asked, page in zip(server.asked, "12", strict=True):
        assert "coo_all=true" in asked
        assert "coa_all=true" in asked
        assert "cf_type=ISO" in asked
        assert asked.endswith(f"page={page}")


def test_more_pages_than_any_table_has(server: Site, here, tmp_path):
    server.say(address("unhcr_population"), json.dumps({"maxPages": 99999, "items": [{}]}).encode())
    with pytest.raises(ZholError, match="too many pages; found 99999"):
        pull("unhcr_population", tmp_path / "in", catalogue=here, limits=QUICK)
    assert names(tmp_path / "in") == set()


def test_all_indicators(server: Site, here, tmp_path):
    base = address("worldbank_wdi")
    for indicator in next(d for d in catalogue() if d.id == "worldbank_wdi").options["indicators"].values():
        rows = [
            {
                "indicator": {"id": indicator, "value": "made up, 2021"},
                "country": {"id": "KZ"},
                "countryiso3code": "KAZ",
                "date": year,
                "value": 7,
            }
            for year in ("2022", "2023")
        ]
        # Two pages, to see that both are asked for.
        server.say(
            base + indicator,
            json.dumps([{"page": 1, "pages": 2}, rows[:1]]).encode(),
            json.dumps([{"page": 2, "pages": 2}, rows[1:]]).encode(),
        )
    (got,) = pull("worldbank", tmp_path / "in", catalogue=here, limits=QUICK)
    assert got.table.height == 2
    assert got.table.null_count().sum_horizontal().item() == 0
    assert got.notes == ()
    assert [asked for asked in server.asked if "source=3" in asked and "GOV_WGI_PV.EST" in asked]


def test_a_structure_then_a_table(server: Site, here, tmp_path):
    base = address("eurostat_migr_eirtn")
    server.say(f"{base}/datastructure/ESTAT/MIGR_EIRTN/latest", (FILES / "eurostat_structure.xml").read_bytes())
    table = (
        "DATAFLOW,LAST UPDATE,freq,citizen,c_dest,sex,age,unit,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\n"
        "ESTAT:MIGR_EIRTN(1.0),,A,UZ,THRD,T,TOTAL,PER,DE,2023,75,\n"
    )
    server.say(f"{base}/data/MIGR_EIRTN/A..THRD.T.TOTAL.PER.", table.encode())
    (got,) = pull("eurostat_migr_eirtn", tmp_path / "in", catalogue=here, limits=QUICK)
    assert got.table.rows() == [(2023, "Uzbekistan", "UZB", "Germany", "DEU", 75)]
    assert [f.path.name for f in got.files] == ["structure.xml", "table.csv"]


def test_a_page_then_the_newest_workbook(server: Site, here, tmp_path):
    server.say(address("frontex_detections"), (FILES / "frontex_map.html").read_bytes())
    server.say(
        "/assets/Migratory_routes/2026/Monthly_detections_of_IBC_2026_09_02.xlsx",
        book(tmp_path / "ibc.xlsx", "frontex").read_bytes(),
    )
    (got,) = pull("frontex", tmp_path / "in", catalogue=here, limits=QUICK)
    assert got.table.height == 11
    assert "Ruritania" in got.notes[0]
    # What was kept can be read again without the network.
    kept = got.path.parent / "downloads" / "frontex_detections"
    (again,) = pull("frontex", tmp_path / "other", files=[kept], catalogue=here)
    assert again.table.equals(got.table)


@pytest.mark.parametrize("dataset", catalogue(), ids=lambda d: d.id)
def test_tables_have_the_layout_of_the_source_folder(dataset, tmp_path):
    files = {
        "undesa_ims_2024": [book(tmp_path / "a.xlsx", "undesa_2024")],
        "undesa_ims_2020": [book(tmp_path / "b.xlsx", "undesa_2020")],
        "unhcr_population": [FILES / "unhcr_population_1.json", FILES / "unhcr_population_2.json"],
        "unhcr_asylum_applications": [FILES / "unhcr_asylum_applications.json"],
        "unhcr_asylum_decisions": [FILES / "unhcr_asylum_decisions.json"],
        "worldbank_wdi": [FILES / "worldbank_gdp.json", FILES / "worldbank_remittances.json"],
        "eurostat_migr_eipre": [FILES / "eurostat_eipre.csv"],
        "eurostat_migr_eirtn": [FILES / "eurostat_eirtn_labels.csv"],
        "eurostat_migr_eirfs": [FILES / "eurostat_eirfs.csv"],
        "eurostat_migr_asyappctza": [FILES / "eurostat_asyappctza.csv"],
        "frontex_detections": [book(tmp_path / "c.xlsx", "frontex")],
    }[dataset.id]
    (got,) = pull(dataset.id, tmp_path / "in", files=files)
    with shared("data", dataset.file).open(encoding="utf-8") as theirs:
        assert got.table.columns == next(csv.reader(theirs))
    assert got.path.read_text(encoding="utf-8").splitlines()[0] == ",".join(got.table.columns)


def test_a_new_revision_goes_from_workbook_to_pack(tmp_path):
    """All of the real 2024 revision, but one figure, through the workbook's layout into a pack."""
    source = shared("data")
    for folder in source.iterdir():
        if folder.is_dir():
            (tmp_path / "data").mkdir(exist_ok=True)
            (tmp_path / "data" / folder.name).symlink_to(folder.resolve())
    mine = tmp_path / "data" / "undesa_ims"
    mine.unlink()
    shutil.copytree(source / "undesa_ims", mine, copy_function=shutil.copy)
    mine.chmod(0o755)
    old = mine / "ims_bilateral_rev2024.csv"
    workbook = _as_workbook(old, tmp_path / "ims.xlsx", {("UZB", "KAZ", 2024): 1_234_567})
    old.unlink()
    (got,) = pull("undesa_ims_2024", tmp_path, files=[workbook])
    assert got.path == old
    assert got.notes == ("in 1 of 76,648 rows men and women do not add up to the total of the publisher",)
    build(tmp_path, tmp_path / "pack")
    asked = (
        "select persons from stocks where origin='UZB' and destination='{}' and year={} and revision={} order by all"
    )
    region = zhol.load(str(tmp_path / "pack"))
    assert region.sql(asked.format("KAZ", 2024, 2024)).item() == 1_234_567
    assert region.sql(asked.format("KAZ", 2020, 2024)).item() == 689_957
    assert region.sql(asked.format("KAZ", 2020, 2020)).item() == 296_511


def _as_workbook(table: Path, path: Path, changed: dict[tuple[str, str, int], int]) -> Path:
    frame = pl.read_csv(table)
    years = sorted(frame["year"].unique())
    m49 = {code: number for number, code in by_m49().items()} | {"OOO": 2003}
    sexes = ("total", "male", "female")
    wide = frame.pivot("year", index=["dest", "orig", "basis"], values=list(sexes))
    made = openpyxl.Workbook(write_only=True)
    page = made.create_sheet("Table 1")
    gap = [None] * (len(years) - 1)
    page.append([None] * 7 + ["both sexes", *gap, "males", *gap, "females"])
    page.append([*sheet("undesa_2024.Table_1.csv")[7][:7], *years, *years, *years])
    for row in wide.iter_rows(named=True):
        figures = [row[f"{sex}_{year}"] for sex in sexes for year in years]
        for i, year in enumerate(years):
            figures[i] = changed.get((row["orig"], row["dest"], year), figures[i])
        page.append([1, "", "", " ".join(row["basis"]), m49[row["dest"]], "", m49[row["orig"]], *figures])
    made.save(path)
    return path


def fails(*arguments, **options) -> str:
    with pytest.raises(ZholError) as error:
        pull(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_offline_says_what_else_can_be_done(here, server: Site, tmp_path):
    server.shutdown()
    server.server_close()
    line = fails("undesa_ims_2024", tmp_path / "in", catalogue=here, limits=QUICK)
    assert line.startswith("cannot reach 127.0.0.1; found '")
    assert line.endswith(
        "are you online? or download it with a browser from https://www.un.org/development/desa/pd/content/"
        "international-migrant-stock, then `zhol data pull undesa_ims_2024 --from FILE`"
    )
    assert names(tmp_path / "in") == set()


def test_a_failed_pull_leaves_what_was_pulled_before(here, server: Site, tmp_path):
    server.say(address("undesa_ims_2024"), book(tmp_path / "a.xlsx", "undesa_2024").read_bytes())
    (got,) = pull("undesa_ims_2024", tmp_path / "in", catalogue=here, limits=QUICK)
    before = {name: (tmp_path / "in" / name).read_bytes() for name in names(tmp_path / "in")}
    for answer in (
        Answer(b"oh", 500),
        Answer(b"<html>403</html>"),
        Answer(got.path.read_bytes()),
        Answer(book(tmp_path / "b.xlsx", "undesa_2020").read_bytes()),
        Answer(book(tmp_path / "c.xlsx", "undesa_2024", lambda rows: rows[:8]).read_bytes()),
        Answer((tmp_path / "a.xlsx").read_bytes(), length=10**5),
    ):
        server.say(address("undesa_ims_2024"), answer)
        fails("undesa_ims_2024", tmp_path / "in", catalogue=here, limits=QUICK)
        assert {name: (tmp_path / "in" / name).read_bytes() for name in names(tmp_path / "in")} == before


def test_a_checksum_holds_for_downloads_and_files(here, server: Site, tmp_path):
    made = book(tmp_path / "a.xlsx", "undesa_2024")
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    server.say(address("undesa_ims_2024"), made.read_bytes())
    pull("undesa_ims_2024", tmp_path / "in", catalogue=here, limits=QUICK, sha256=digest)
    pull("undesa_ims_2024", tmp_path / "in", files=[made], sha256=digest.upper())
    wrong = "the file is not the expected one, its sha256 differs"
    assert wrong in fails("undesa_ims_2024", tmp_path / "in", catalogue=here, limits=QUICK, sha256="0" * 64)
    assert fails("undesa_ims_2024", tmp_path / "in", files=[made], sha256="0" * 64).startswith(f"a.xlsx: {wrong}")


def test_files_that_do_not_fit(tmp_path):
    (tmp_path / "empty").mkdir()
    one = FILES / "eurostat_eipre.csv"
    assert fails("undesa", tmp_path / "in", files=[one]).startswith(
        "undesa has several datasets; found 'undesa', expected one of undesa_ims_2024, undesa_ims_2020"
    )
    assert fails("frontex", tmp_path / "in", files=[tmp_path / "none.xlsx"]) == (
        "none.xlsx: no such file; check the path given with --from"
    )
    assert fails("frontex", tmp_path / "in", files=[tmp_path / "empty"]).startswith("the folder is empty; found '")
    assert fails("frontex", tmp_path / "in", files=[one, one]).startswith("frontex_detections is one workbook")
    assert fails("frontex", tmp_path / "in", files=[one]).startswith("eurostat_eipre.csv: wrong kind of file")
    assert fails("nobody", tmp_path / "in").startswith("unknown source; found 'nobody'")
    assert not (tmp_path / "in").exists() or names(tmp_path / "in") == set()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "in").write_text("a file")
    assert fails("eurostat_migr_eipre", tmp_path / "in", files=[FILES / "eurostat_eipre.csv"]) == (
        "in: not a folder; give a folder with --into"
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "eurostat_enforcement").write_text("a file")
    line = fails("eurostat_migr_eipre", tmp_path / "out", files=[FILES / "eurostat_eipre.csv"])
    assert line.startswith("cannot write here; found '")


def test_papers_that_are_damaged(tmp_path):
    (tmp_path / "in" / "eurostat_enforcement").mkdir(parents=True)
    (tmp_path / "in" / "eurostat_enforcement" / "pulled.yaml").write_text("a: [")
    line = fails("eurostat_migr_eipre", tmp_path / "in", files=[FILES / "eurostat_eipre.csv"])
    assert line == "pulled.yaml: cannot be read; remove it and pull again"
    assert names(tmp_path / "in") == {"eurostat_enforcement/pulled.yaml"}


def test_the_papers_name_no_folder_of_this_machine(tmp_path):
    (got,) = pull("eurostat_migr_eipre", tmp_path / "in", files=[FILES / "eurostat_eipre.csv"])
    text = (got.path.parent / "pulled.yaml").read_text(encoding="utf-8")
    assert str(FILES) not in text
    assert "from: eurostat_eipre.csv" in text
