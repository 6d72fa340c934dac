"""Laws of packs: whatever is valid loads and is counted right; whatever is broken is a ZholError and nothing else."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zhol

WHOLE = Path(__file__).parents[1] / "broken" / "packs" / "whole"
FILES = {p.name: p.read_bytes() for p in WHOLE.iterdir()}
PLACES = ["KAZ", "UZB", "TJK", "RUS", "XBA", "XRW"]
KINDS = {"XBA": "block", "XRW": "rest"}
# Anything a reader may write in a note, short of the control characters that no text file holds.
NOTES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(lambda t: t.strip())


@st.composite
def corridors(draw):
    """A stocks table: distinct keys, any valid numbers, notes with commas, quotes and Cyrillic."""
    key = st.tuples(st.integers(1990, 2030), st.sampled_from(PLACES), st.sampled_from(PLACES)).filter(
        lambda k: k[1] != k[2] or k[1] in KINDS
    )
    keys = draw(st.lists(key, unique=True, max_size=12))
    row = st.tuples(st.integers(0, 10**10), st.sampled_from(["published", "computed", "recalled"]), NOTES)
    return [(*k, *draw(row)) for k in keys]


def write(folder, files):
    for name, data in files.items():
        (Path(folder) / name).write_bytes(data)


def as_csv(header, rows):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    return text.getvalue().encode()


@given(corridors())
def test_valid_packs_load_and_sql_counts_agree(rows):
    places = [(p, p, KINDS.get(p, "country"), "EST;LVA" if p == "XBA" else "", "S1", "published") for p in PLACES]
    stocks = [(year, o, d, 2024, n, "S1", status, note) for year, o, d, n, status, note in rows]
    files = {
        "region.yaml": FILES["region.yaml"],
        "sources.csv": FILES["sources.csv"],
        "places.csv": as_csv(["place", "name", "kind", "members", "source_id", "status"], places),
        "stocks.csv": as_csv(
            ["year", "origin", "destination", "revision", "persons", "source_id", "status", "note"], stocks
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files)
        region, everything = zhol.load(folder), zhol.load(folder, recalled=True)
    shown = [r for r in rows if r[4] != "recalled"]
    query = "select count(*) as n, coalesce(sum(persons), 0) as persons from stocks"
    assert region.sql(query).row(0) == (len(shown), sum(r[3] for r in shown))
    assert everything.sql(query).row(0) == (len(rows), sum(r[3] for r in rows))
    assert everything.table("stocks")["note"].to_list() == [r[5] or None for r in rows]


def whole_or_refused(files):
    """Load a pack: a region comes back, or a ZholError of one line."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files)
        try:
            return zhol.load(folder)
        except zhol.ZholError as error:
            assert "\n" not in str(error)
            return None


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(FILES)), st.data())
def test_any_bytes_anywhere_give_a_region_or_one_line(name, data):
    whole = FILES[name]
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 30)))
    whole_or_refused(FILES | {name: whole[:start] + data.draw(st.binary(max_size=12)) + whole[end:]})


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([n for n in sorted(FILES) if n.endswith(".csv")]), st.data())
def test_any_text_in_any_cell_gives_a_region_or_one_line(name, data):
    rows = list(csv.reader(io.StringIO(FILES[name].decode())))
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[0]) - 1))
    rows[row][column] = data.draw(st.text(max_size=8) | st.sampled_from(["", "-1", "1e400", "١٢", "2020-02-30", ";;"]))
    whole_or_refused(FILES | {name: as_csv(rows[0], rows[1:])})


# What must never pass, wherever it stands: the column says which cells of the pack it is put into.
NEVER = {
    "persons": ["-1", "1e12", "nan", "inf", "ten", "1,5", "", "1.5", "٣"],
    "origin": ["KAX", "kaz", "KZ", "Kazakhstan", "../..", " KAZ"],
    "destination": ["KAX", "XUN", "WLD", ""],
    "source_id": ["", "S9", "S1;", "S1,S2"],
    "status": ["", "true", "Published"],
    "year": ["0", "20024", "24", "2024.0", "", "MMXXIV", "-2024"],
    "revision": ["", "first"],
}
CELLS = [(column, value) for column, values in NEVER.items() for value in values]


@pytest.mark.parametrize(("column", "value"), CELLS)
@settings(max_examples=3)
@given(row=st.integers(1, 3))
def test_a_broken_cell_is_found_where_it_stands(column, value, row):
    rows = list(csv.reader(io.StringIO(FILES["stocks.csv"].decode())))
    rows[row][rows[0].index(column)] = value
    with tempfile.TemporaryDirectory() as folder:
        write(folder, FILES | {"stocks.csv": as_csv(rows[0], rows[1:])})
        with pytest.raises(zhol.ZholError, match=rf"^stocks\.csv, row {row + 1}, column {column}: "):
            zhol.load(folder)
