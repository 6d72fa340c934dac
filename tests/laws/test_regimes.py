"""Regimes: rules apply from their month, treaties stand on top, lists are held backwards, every spell has a source."""

from functools import cache

import numpy as np
import polars as pl
import pytest
import random_packs as made

import zhol
from zhol.system.regimes import regime_paths, regime_table

TREATY, FREE, VISA = 0, 1, 2


@cache
def region():
    return zhol.load("central_asia")


@cache
def corridors():
    places = region().places.filter(pl.col("kind").is_in(["country", "block", "rest"]))["place"].to_list()
    return tuple((o, d) for o in places for d in places if o != d)


@cache
def whole(policies_until=None):
    return regime_paths(region(), corridors(), "2000-01", "2026-12", policies_until)


def regime(origin, destination, month, policies_until=None):
    paths = whole(policies_until)
    return paths.index[paths.months.index(month), corridors().index((origin, destination))]


@pytest.mark.parametrize(
    ("origin", "destination", "month", "before", "after"),
    [
        ("KAZ", "RUS", "2012-01", FREE, TREATY),  # Common Economic Space
        ("KGZ", "RUS", "2015-08", FREE, TREATY),  # accession to the EAEU
        ("ARM", "RUS", "2015-01", FREE, TREATY),
        ("KGZ", "UZB", "2002-01", FREE, VISA),  # Uzbekistan leaves the Bishkek agreement ...
        ("UZB", "KGZ", "2006-10", VISA, FREE),  # ... and agrees again on trips
        ("TJK", "UZB", "2018-03", VISA, FREE),
        ("GEO", "RUS", "2001-01", FREE, VISA),  # Russia leaves the Bishkek agreement
        ("GEO", "RUS", "2023-05", VISA, FREE),
        ("UKR", "XEU", "2017-06", VISA, FREE),
        ("KAZ", "KOR", "2014-12", VISA, FREE),  # 29 November counts from December
        ("TUR", "RUS", "2011-01", VISA, FREE),
        ("TUR", "RUS", "2016-01", FREE, VISA),
        ("TJK", "TUR", "2024-05", FREE, VISA),  # 20 April counts from May
        ("TKM", "TUR", "2022-09", FREE, VISA),
        ("XEU", "XBA", "2004-05", FREE, TREATY),
    ],
)
def test_dated_rules_apply_from_their_month(origin, destination, month, before, after):
    earlier = whole().months[whole().months.index(month) - 1]
    assert (regime(origin, destination, earlier), regime(origin, destination, month)) == (before, after)


@pytest.mark.parametrize(
    ("origin", "destination", "expected"),
    [("UZB", "RUS", FREE), ("TJK", "KAZ", FREE), ("BLR", "RUS", TREATY), ("AFG", "XEU", VISA), ("TKM", "KAZ", VISA)],
)
def test_what_has_not_changed(origin, destination, expected):
    assert {regime(origin, destination, month) for month in whole().months} == {expected}


def test_rules_after_the_last_known_month_are_not_applied():
    assert regime("KGZ", "RUS", "2026-12", "2014-12") == FREE
    assert regime("ARM", "RUS", "2026-12", "2014-12") == FREE
    assert regime("KAZ", "RUS", "2026-12", "2014-12") == TREATY
    assert regime("UKR", "XEU", "2026-12", "2014-12") == VISA
    at = whole().months.index("2014-12") + 1
    assert np.array_equal(whole("2014-12").index[:at], whole().index[:at])
    assert (whole("2014-12").index[at:] == whole().index[at - 1]).all()
    assert whole("2014-12").table["since"].max() <= "2014-12"
    early = regime_paths(region(), [("KGZ", "RUS")], "2016-01", "2017-12", "2014-12")
    assert (early.index == FREE).all()


def test_the_table_says_what_the_index_does():
    names = ["treaty", "visa_free", "visa"]
    for c, rows in whole().table.group_by("origin", "destination", maintain_order=True):
        path = whole().index[:, corridors().index(c)]
        begins = [whole().months.index(m) for m in rows["since"]]
        assert begins[0] == 0 and begins == sorted(set(begins))
        for begin, end, name in zip(begins, [*begins[1:], len(path)], rows["regime"], strict=True):
            assert (path[begin:end] == names.index(name)).all()


def test_every_spell_goes_back_to_a_source():
    table, sources = whole().table, whole().sources
    assert set(table["basis"]) == {"law", "passport_index", "held_backwards", "default"}
    named = table.filter(pl.col("basis") != "default")
    ids = {i for cell in named["source_id"] for i in cell.split(";")}
    assert ids == set(sources["source_id"]) and sources["title"].null_count() == 0
    assert set(named["status"]) <= {"published", "computed", "read_primary", "read_secondary"}
    assert named["says"].str.len_chars().min() > 0
    # Only the rest of the world has no rule at all.
    bare = table.filter(pl.col("basis") == "default")
    assert all("XRW" in pair for pair in bare.select("origin", "destination").rows())
    assert f"regimes: no rule for {bare.height} corridors, a visa is assumed" in whole().notes


def test_window_and_order_change_nothing():
    pairs = [("TUR", "RUS"), ("KGZ", "UZB"), ("KAZ", "RUS")]
    short = regime_paths(region(), pairs, "2005-03", "2013-02")
    months = [whole().months.index(m) for m in short.months]
    columns = [corridors().index(p) for p in pairs]
    assert np.array_equal(short.index, whole().index[np.ix_(months, columns)])
    assert short.table["since"].min() == "2005-03"
    assert regime_table(region(), pairs, "2005-03", "2013-02").equals(short.table)


def pack(visas=(), agreements=(), parties=()):
    """Three places with rows of one's own: agreements (id, kind, strength, start, end), parties (id, place, role)."""
    tables = made.rows_of(made.Pack({p: made.Place() for p in ("KAZ", "KGZ", "RUS")}))
    own = {"source_id": "TEST", "status": "published"}
    tables["visas"] = [
        {"origin": o, "destination": d, "date": day, "requirement": what, "days": "", **own, "note": note}
        for o, d, day, what, note in visas
    ]
    tables["agreements"] = [
        {"agreement_id": i, "name": "Agreement", "kind": kind, "parties": "KAZ;KGZ", "signatories_only": "",
         "strength": strength, "signed": "", "in_force": start, "ended": end, **own}
        for i, kind, strength, start, end in agreements
    ]  # fmt: skip
    tables["agreement_parties"] = [
        {"agreement_id": i, "place": place, "role": role, "since": since, "until": until, **own}
        for i, place, role, since, until in parties
    ]
    with made.written({name: rows for name, rows in tables.items() if rows}) as folder:
        return zhol.load(folder)


def path(region, start="2010-01", end="2013-12", pair=("KAZ", "KGZ")):
    return regime_paths(region, [pair], start, end).index[:, 0].tolist()


def test_without_rows_a_visa_is_assumed():
    paths = regime_paths(pack(), [("KAZ", "KGZ"), ("KGZ", "RUS")], "2010-01", "2010-12")
    assert (paths.index == VISA).all() and paths.table["basis"].to_list() == ["default", "default"]
    assert paths.notes == ("regimes: no rule for 2 corridors, a visa is assumed",)
    assert regime_paths(pack(), [], "2010-01", "2010-12").index.shape == (12, 0)


def test_lists_hold_until_the_next_and_the_first_backwards():
    lists = [("KAZ", "KGZ", "2011-03-10", "visa_free", ""), ("KAZ", "KGZ", "2012-06-20", "visa_required", "")]
    assert path(pack(lists)) == [FREE] * 29 + [VISA] * 19
    assert path(pack(lists), pair=("KGZ", "KAZ")) == [VISA] * 48  # the other way is another corridor


def test_light_forms_keep_the_regime_of_the_list_before():
    light = [("KAZ", "KGZ", f"201{i}-01-01", what, "") for i, what in enumerate(("eta", "e_visa", "visa_free", "eta"))]
    assert path(pack(light)) == [VISA] * 24 + [FREE] * 24


def test_closures_and_lists_of_the_pandemic_are_no_regime():
    lists = [
        ("KAZ", "KGZ", "2019-12-17", "visa_free", ""),
        ("KAZ", "KGZ", "2021-02-24", "visa_required", ""),
        ("KAZ", "KGZ", "2023-01-11", "covid_ban", ""),
        ("KAZ", "KGZ", "2024-01-05", "visa_required", ""),
    ]
    assert path(pack(lists), "2020-01", "2024-12") == [FREE] * 48 + [VISA] * 12


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("3 pairs: visa_free 2, visa_required 1", FREE),
        ("3 pairs: visa_free 1, visa_required 1, covid_ban 1", VISA),
        ("3 pairs: visa_free 1, covid_ban 2", FREE),
        ("many", VISA),
        ("", VISA),
    ],
)
def test_a_block_goes_with_most_of_its_members(note, expected):
    assert path(pack([("KAZ", "KGZ", "2010-01-01", "mixed", note)])) == [expected] * 48


def test_visa_agreement_between_its_parties_while_both_are_in():
    agreements = [("A1", "visa", "in_force", "2010-07-01", "")]
    parties = [("A1", "KAZ", "party", "2010-07-01", "2012-12-31"), ("A1", "KGZ", "party", "2011-02-20", "")]
    # Before it a visa; 20 February counts from March; the end from January; nothing else is known afterwards.
    assert path(pack(agreements=agreements, parties=parties)) == [VISA] * 14 + [FREE] * 22 + [VISA] * 12
    assert path(pack(agreements=agreements, parties=parties), pair=("KGZ", "RUS")) == [VISA] * 48
    later = [("KAZ", "KGZ", "2019-12-17", "visa_free", "")]
    assert path(pack(later, agreements, parties)) == [VISA] * 14 + [FREE] * 34


@pytest.mark.parametrize("strength", ["declared", "signed"])
def test_an_agreement_only_signed_opens_nothing(strength):
    parties = [("A1", "KAZ", "party", "", ""), ("A1", "KGZ", "party", "", "")]
    assert path(pack(agreements=[("A1", "visa", strength, "2010-07-01", "")], parties=parties)) == [VISA] * 48


def test_signatories_and_other_kinds_open_nothing():
    start = [("A1", "visa", "in_force", "2010-07-01", ""), ("A2", "labour", "in_force", "2010-07-01", "")]
    parties = [("A1", "KAZ", "party", "", ""), ("A1", "KGZ", "signatory", "", ""),
               ("A2", "KAZ", "party", "", ""), ("A2", "KGZ", "party", "", "")]  # fmt: skip
    assert path(pack(agreements=start, parties=parties)) == [VISA] * 48
