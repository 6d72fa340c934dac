"""Small packs for tests of the moving system: written by hand or made up by hypothesis, always valid, on disk.

Numbers are made up: they are no figures about the places whose codes they bear.
"""

import csv
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path

from hypothesis import strategies as st

import zhol

YEARS = (2010, 2011, 2012, 2013)
CODES = ("KAZ", "KGZ", "RUS", "TJK", "TUR")


@dataclass(frozen=True)
class Place:
    persons: float = 10e6
    growth: float = 0.01  # a year
    income: float = 10_000.0
    prices: float = 0.5  # income in dollars over income in international dollars
    unemployment: float = 6.0
    deaths: float = 0.008  # a person and year
    conflict: float = 0.0  # deaths a year


@dataclass(frozen=True)
class Pack:
    """What goes into the tables; corridors are those with a stock and those in `cited`."""

    places: dict[str, Place]
    stocks: dict[tuple[str, str], float] = field(default_factory=dict)
    legs: tuple[tuple[str, str, str, float], ...] = ()
    visas: dict[tuple[str, str], str] = field(default_factory=dict)
    claims: dict[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict)  # filed, recognised, rejected
    refugees: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)  # protected, pending
    cited: tuple[tuple[str, str], ...] = ()  # pairs with a figure of labour migrants

    def scaled(self, factor: float) -> "Pack":
        """The same pack with every count of people multiplied."""

        def more(counts):
            return {k: tuple(n * factor for n in v) if isinstance(v, tuple) else v * factor for k, v in counts.items()}

        places = {
            code: replace(p, persons=p.persons * factor, conflict=p.conflict * factor)
            for code, p in self.places.items()
        }
        return replace(self, places=places, stocks=more(self.stocks), refugees=more(self.refugees))


def rows_of(pack: Pack) -> dict[str, list[dict]]:
    """The tables of a pack as rows."""
    rows: dict[str, list[dict]] = {
        "places": [{"place": p, "name": p, "kind": "country"} for p in pack.places],
        "sources": [{"source_id": "TEST", "title": "Made up", "publisher": "Nobody", "url": "", "kind": "statistics"}],
        "population": [],
        "economy": [],
        "conflict": [],
    }
    for code, p in pack.places.items():
        for i, year in enumerate(YEARS):
            heads = p.persons * (1.0 + p.growth) ** i
            key = {"place": code, "year": year, "low": "", "high": ""}
            for variable, value in (("persons", heads), ("deaths", heads * p.deaths)):
                rows["population"].append({**key, "variable": variable, "value": value, "unit": "persons"})
            rows["population"].append({**key, "variable": "working_age_share", "value": 0.6, "unit": "share"})
            for variable, value, unit in (
                ("gdp_pc_ppp", p.income * 1.02**i, "international dollars of 2021"),
                ("gdp_usd", p.income * 1.02**i * p.prices * heads, "USD"),
                ("unemployment", p.unemployment, "%"),
            ):
                rows["economy"].append({**key, "variable": variable, "value": value, "unit": unit})
            deaths = {"best": round(p.conflict * (i + 1)), "unit": "deaths"}
            rows["conflict"].append({**key, **deaths})
    rows["stocks"] = [
        {"year": year, "origin": o, "destination": d, "revision": 2024, "persons": round(n)}
        for (o, d), n in pack.stocks.items()
        for year in (2010, 2015)
    ]
    rows["legs"] = [
        {"origin": a, "destination": b, "mode": mode, "length_km": km, "basis": "made up"}
        for a, b, mode, km in pack.legs
    ]
    rows["visas"] = [
        {"origin": o, "destination": d, "date": "2005-01-01", "requirement": what, "days": ""}
        for (o, d), what in pack.visas.items()
    ]
    rows["asylum"] = [
        {"year": 2010, "origin": o, "destination": d, "applications": filed, "recognised": yes, "other_protection": 0,
         "rejected": no, "closed": 0}
        for (o, d), (filed, yes, no) in pack.claims.items()
    ]  # fmt: skip
    rows["refugees"] = [
        {"year": year, "origin": o, "destination": d, "refugees": round(safe), "asylum_seekers": round(waiting)}
        for (o, d), (safe, waiting) in pack.refugees.items()
        for year in (2006, 2010)
    ]
    rows["figures"] = [
        {"figure_id": f"T{i}", "quantity": f"{d}_labour", "indicator": "labour migrants", "origin": o,
         "destination": d, "date_start": "2010", "date_end": "2010", "value": 1000, "low": "", "high": "",
         "unit": "persons", "definition": "", "concept": "labour_migrants_stock", "method": ""}
        for i, (o, d) in enumerate(pack.cited)
    ]  # fmt: skip
    for name, table in rows.items():
        for row in table:
            row.update({} if name == "sources" else {"source_id": "TEST", "status": "published"})
    return {name: table for name, table in rows.items() if table}


def write(rows: dict[str, list[dict]], folder: str | Path) -> Path:
    """Write tables as a pack."""
    root = Path(folder)
    focus = rows["places"][0]["place"]
    (root / "region.yaml").write_text(
        f'name: made_up\ntitle: Made up\ndescription: For a test.\nfocus: [{focus}]\nlicence: none\nversion: "1"\n',
        encoding="utf-8",
    )
    for name, table in rows.items():
        with (root / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
    return root


def load(pack: Pack):
    """The pack as a region; its tables are read whole, so the folder may go."""
    with written(rows_of(pack)) as folder:
        return zhol.load(folder)


@contextmanager
def written(rows: dict[str, list[dict]]):
    """A folder that holds the tables while the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        yield write(rows, folder)


def model(pack: Pack, **options):
    """The moving system of the pack."""
    from zhol.system import Model

    return Model(load(pack), **options)


def whole() -> Pack:
    """One pack in which everything happens: transit, a corridor without a road, claims, conflict, three regimes."""
    return Pack(
        places={
            "KAZ": Place(19e6, 0.012, 24_000.0, 0.45, 5.0, 0.0075),
            "KGZ": Place(6e6, 0.018, 5_000.0, 0.3, 7.0, 0.006),
            "RUS": Place(144e6, -0.002, 27_000.0, 0.5, 4.5, 0.013),
            "TJK": Place(9e6, 0.022, 3_500.0, 0.28, 8.0, 0.005, conflict=60.0),
            "TUR": Place(80e6, 0.01, 26_000.0, 0.4, 10.0, 0.0055),
        },
        stocks={
            ("KGZ", "KAZ"): 30_000.0,
            ("KGZ", "RUS"): 600_000.0,
            ("KGZ", "TUR"): 5_000.0,
            ("TJK", "KAZ"): 15_000.0,
            ("TJK", "KGZ"): 8_000.0,
            ("TJK", "RUS"): 450_000.0,
            ("KAZ", "RUS"): 2_500_000.0,
            ("RUS", "KAZ"): 2_400_000.0,
            ("TUR", "KAZ"): 9_000.0,
        },
        legs=(
            ("TJK", "KGZ", "land", 900.0),
            ("KGZ", "KAZ", "land", 600.0),
            ("KAZ", "RUS", "land", 2_700.0),
            ("TJK", "RUS", "air", 3_000.0),
        ),
        visas={("KGZ", "RUS"): "visa_free", ("TJK", "RUS"): "visa_free", ("KGZ", "KAZ"): "visa_free",
               ("TJK", "KGZ"): "visa_free", ("KAZ", "RUS"): "visa_free", ("RUS", "KAZ"): "visa_free",
               ("TJK", "KAZ"): "visa_required", ("KGZ", "TUR"): "visa_required", ("TUR", "KAZ"): "visa_required"},
        claims={("TJK", "KAZ"): (900, 60, 240), ("TJK", "RUS"): (1_500, 20, 700)},
        refugees={("TJK", "KAZ"): (150, 40), ("TJK", "RUS"): (300, 200)},
        cited=(("TJK", "RUS"), ("KGZ", "RUS"), ("TJK", "TUR")),
    )  # fmt: skip


@st.composite
def packs(draw, least: int = 1, most: int = 5, corridors: int = 6) -> Pack:
    """Any small pack: one to five places, some empty of people; some corridors, with roads or without."""
    codes = CODES[: draw(st.integers(least, most))]
    number = st.floats(0.0, 1.0)
    places = {
        code: Place(
            persons=0.0 if draw(st.integers(0, 9)) == 0 else 10 ** draw(st.floats(4.0, 8.5)),
            growth=draw(st.floats(-0.03, 0.04)),
            income=10 ** draw(st.floats(2.9, 4.9)),
            prices=draw(st.floats(0.2, 1.2)),
            unemployment=draw(st.floats(0.0, 40.0)),
            deaths=draw(st.floats(0.0, 0.03)),
            conflict=draw(st.sampled_from([0.0, 0.0, 20.0, 50_000.0])),
        )
        for code in codes
    }
    pairs = list(permutations(codes, 2))
    some = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=corridors)) if pairs else []
    stocks = {pair: 10 ** draw(st.floats(3.1, 6.5)) for pair in some}
    between = [(a, b) for a, b in pairs if a < b]
    joined = draw(st.lists(st.sampled_from(between), unique=True, max_size=4)) if between else []
    modes = st.sampled_from(["land", "sea", "air"])
    return Pack(
        places,
        stocks,
        tuple((a, b, draw(modes), 50.0 + 5_000.0 * draw(number)) for a, b in joined),
        {pair: draw(st.sampled_from(["visa_free", "visa_required", "visa_on_arrival"])) for pair in some},
        {pair: (1_000, draw(st.integers(0, 500)), draw(st.integers(0, 500))) for pair in some[:2]},
        {pair: (draw(st.integers(0, 5_000)), draw(st.integers(0, 5_000))) for pair in some[1:3]},
        tuple(draw(st.lists(st.sampled_from(pairs), unique=True, max_size=2))) if pairs else (),
    )
