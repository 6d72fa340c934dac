"""``tabulate``: counts right, small ones safe, nothing about a unit comes out, nothing is left on disk."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhol
from zhol.core.errors import ZholError
from zhol.core.small_cells import intervals
from zhol.estimate.tabulation import tabulate


def records(seed, units=800, rate=0.9):
    rng = np.random.default_rng(seed)
    times = rng.poisson(rate, units)
    unit = np.repeat([f"u{i:05d}" for i in rng.permutation(units)], times)
    sex = np.repeat(rng.choice(["f", "m"], units, p=[0.25, 0.75]), times)
    origin = np.repeat(rng.choice(["UZB", "TJK", "KGZ", "TKM"], units, p=[0.5, 0.3, 0.19, 0.01]), times)
    source = rng.choice(["police", "border", "ngo"], len(unit), p=[0.5, 0.35, 0.15])
    return pl.DataFrame({"case_key": unit, "sex": sex, "origin": origin, "source": source})


def plain(frame, by=()):
    units = frame.group_by("case_key", *by).agg(captures=pl.len())
    return {tuple(map(str, r[:-1])): r[-1] for r in units.group_by("captures", *by).agg(n=pl.len()).iter_rows()}


def test_captures_agree_with_counting_by_hand():
    frame = records(1)
    for row in tabulate(frame, "case_key").table.iter_rows():
        if row[1] is not None and not row[0].endswith("+"):
            assert row[1] == plain(frame)[(row[0],)]


def test_by_category_agrees_and_margins_are_sums():
    frame = records(2, units=4000)
    result = tabulate(frame, "case_key", "sex")
    want = plain(frame, ["sex"])
    shown = [r for r in result.table.iter_rows() if r[2] is not None and not r[0].endswith("+")]
    assert shown
    assert all(n == want[(c, s)] for c, s, n in shown)
    whole = result.margins.filter((pl.col("captures") == "all") & (pl.col("sex") == "all"))["n"][0]
    assert whole == frame["case_key"].n_unique()


def test_overlaps_agree_with_counting_by_hand():
    frame = records(3, units=5000, rate=1.5)
    result = tabulate(frame, "case_key", lists="source")
    sets = frame.group_by("case_key").agg(pl.col("source").unique()).to_dicts()
    for border, ngo, police, n in result.table.iter_rows():
        want = {k for k, v in (("border", border), ("ngo", ngo), ("police", police)) if v}
        if n is not None:
            assert n == sum(set(s["source"]) == want for s in sets)
    assert result.table.height == 7


def test_the_same_from_csv_parquet_and_memory(tmp_path):
    frame = records(4)
    frame.write_csv(tmp_path / "r.csv")
    frame.write_parquet(tmp_path / "r.parquet")
    want = tabulate(frame, "case_key", ["sex"])
    for path in (tmp_path / "r.csv", str(tmp_path / "r.parquet")):
        got = tabulate(path, "case_key", ["sex"])
        assert got.table.equals(want.table)
        assert got.margins.equals(want.margins)
    assert tabulate(frame.to_pandas(), "case_key", ["sex"]).table.equals(want.table)


def audit(result, by):
    """Every blank count below ten must be open by ten to whoever reads table and margins together."""
    whole = pl.concat([result.table.select(pl.all().exclude("n").cast(pl.String), "n"), result.margins])
    keys = result.table.select(pl.all().exclude("n").cast(pl.String)).rows()
    member = np.array(
        [[all(a in ("all", b) for a, b in zip(row, k, strict=True)) for k in keys] for row in whole.drop("n").rows()]
    )
    published = np.array([np.nan if v is None else float(v) for v in whole["n"]])
    return intervals(member.astype(np.int64), published)


@given(st.integers(0, 10**6), st.sampled_from([60, 200, 900]), st.sampled_from([[], ["sex"], ["sex", "origin"]]))
@settings(max_examples=15)
def test_every_export_of_captures_is_safe(seed, units, by):
    result = tabulate(records(seed, units), "case_key", by)
    for frame in (result.table, result.margins):
        assert (frame["n"].drop_nulls() >= 10).all()
    ends = audit(result, by)
    # A count of ten or more that is blank as cover may be known better than to ten; one below may not.
    narrow = ends[(ends[:, 1] - ends[:, 0]) < 10]
    assert (narrow[:, 0] >= 10).all()


@given(st.integers(0, 10**6), st.sampled_from([100, 600]), st.sampled_from([[], ["sex"]]))
@settings(max_examples=10)
def test_every_export_of_overlaps_is_safe(seed, units, by):
    result = tabulate(records(seed, units), "case_key", by, lists="source")
    assert (result.table["n"].drop_nulls() >= 10).all()
    ends = audit(result, by)
    narrow = ends[(ends[:, 1] - ends[:, 0]) < 10]
    assert (narrow[:, 0] >= 10).all()


def test_rounded_exports_hold_no_small_number():
    result = tabulate(records(5), "case_key", ["sex"], method="round")
    shown = pl.concat([result.table, result.margins])["n"].drop_nulls()
    assert (shown % 10 == 0).all()
    assert (shown >= 10).all()


def test_no_key_comes_out(tmp_path, capsys):
    frame = records(6)
    result = tabulate(frame, "case_key", ["sex"])
    text = result.summary() + result.table.write_csv() + result.margins.write_csv()
    assert "case_key" not in text
    assert not any(k in text for k in frame["case_key"].unique())


def test_nothing_is_left_on_disk(tmp_path, monkeypatch):
    records(7).write_csv(tmp_path / "r.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    tabulate("r.csv", "case_key", ["sex"])
    assert [p.name for p in tmp_path.iterdir()] == ["r.csv"]


def test_rare_categories_and_long_tails_are_merged():
    result = tabulate(records(8), "case_key", ["origin"])
    assert "TKM" not in result.table["origin"].to_list()
    assert "origin: categories of fewer than 10 units are merged into 'other'" in result.notes
    assert result.table["captures"].to_list()[-1].endswith("+")


def test_records_without_key_and_conflicting_categories_are_said():
    frame = records(9)
    holes = pl.concat([frame, frame.head(12).with_columns(case_key=pl.lit(None, pl.String))])
    assert "records without a key are left out: 12" in tabulate(holes, "case_key").notes
    twice = pl.concat([frame, frame.head(1).with_columns(sex=pl.lit("x"))])
    assert any("disagree on sex: fewer than 10" in n for n in tabulate(twice, "case_key", ["sex"]).notes)


def test_counts_can_be_estimated_from_what_comes_out():
    table = tabulate(records(10, units=3000), "case_key").table.drop_nulls()
    single = table.filter(~pl.col("captures").str.ends_with("+")).with_columns(pl.col("captures").cast(pl.Int64))
    est = zhol.estimate.counts("captures ~ 1", single, model="chao", weights="n")
    assert est.low < 3000 < est.high * 1.1


BAD = [
    (
        {"name": "x"},
        "case_key",
        {},
        "column name: column holds data about individual persons; expected records without "
        "names, documents, telephones, addresses; remove the column before tabulating",
    ),
    (
        {"phone_2": "x"},
        "case_key",
        {},
        "column phone_2: column holds data about individual persons; expected records "
        "without names, documents, telephones, addresses; remove the column before tabulating",
    ),
    (
        {"passport_no": "x"},
        "passport_no",
        {},
        "column passport_no: the key must be made up, not a name or a document; expected an opaque key",
    ),
    ({}, "unit", {}, "records have no column 'unit'; found 'case_key, sex, origin, source'"),
    ({}, "case_key", {"by": "zone"}, "records have no column 'zone'; found 'case_key, sex, origin, source'"),
    (
        {"case_key": "+7 701 123 45 67"},
        "case_key",
        {},
        "column case_key: the key looks like telephone numbers; expected an opaque key, such as a keyed hash",
    ),
    (
        {"case_key": "Иван Петров"},
        "case_key",
        {},
        "column case_key: the key looks like names; expected an opaque key, such as a keyed hash",
    ),
    (
        {"case_key": "a.b@c.org"},
        "case_key",
        {},
        "column case_key: the key looks like e-mail addresses; expected an opaque key, such as a keyed hash",
    ),
    (
        {"case_key": "N1234567"},
        "case_key",
        {},
        "column case_key: the key looks like passport numbers; expected an opaque key, such as a keyed hash",
    ),
    (
        {"case_key": "860412300456"},
        "case_key",
        {},
        "column case_key: the key looks like national identity numbers; expected an opaque key, such as a keyed hash",
    ),
    ({}, "case_key", {"threshold": 3}, "threshold below the smallest allowed; found 3, expected 10 or more"),
    (
        {"age_group": "0-17"},
        "case_key",
        {"by": ["age_group", "origin"]},
        "column age_group: children may not be crossed "
        "with nationality; count adults only, or leave one of the two out",
    ),
    (
        {"source": "police"},
        "case_key",
        {"lists": "source"},
        "column source: one list has no overlaps; expected two or more lists",
    ),
    ({}, "case_key", {"by": ["sex", "sex"]}, "a column is named twice; found 'case_key, sex, sex'"),
]


@pytest.mark.parametrize(("change", "key", "options", "message"), BAD)
def test_messages(change, key, options, message):
    frame = records(11).with_columns(pl.lit(v).alias(k) for k, v in change.items())
    with pytest.raises(ZholError) as error:
        tabulate(frame, key, **options)
    assert str(error.value) == message
    if "case_key" in change:
        assert change["case_key"] not in str(error.value)


def test_too_few_units():
    with pytest.raises(ZholError, match=r"^fewer than 10 units: nothing may be shown$"):
        tabulate(records(12, units=8), "case_key")
