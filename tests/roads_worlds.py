"""Worlds of a few places, and a region with its rows in another order, for the tests of roads."""

from dataclasses import dataclass, field

import polars as pl

LEG_SCHEMA = {"origin": pl.String, "destination": pl.String, "mode": pl.String, "length_km": pl.Float64}
FIGURE_SCHEMA = {
    **dict.fromkeys(
        ("figure_id", "quantity", "indicator", "origin", "destination", "date_start", "unit", "source_id"), pl.String
    ),
    **dict.fromkeys(("value", "low", "high"), pl.Float64),
}


@dataclass
class World:
    """What the room of roads reads of a region."""

    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    path: str | None = None

    @property
    def tables(self):
        return tuple(self.frames)

    @property
    def places(self):
        return self.frames["places"]

    def table(self, name):
        return self.frames[name]


def world(places, legs=(), stocks=(), prices=(), path=None):
    """Places by code; legs (origin, destination, mode, km); stocks (o, d, persons); prices (id, o, d, usd, source)."""
    frames = {"places": pl.DataFrame({"place": places, "kind": ["country"] * len(places)})}
    if legs:
        frames["legs"] = pl.DataFrame(list(legs), schema=LEG_SCHEMA, orient="row")
    if stocks:
        frames["stocks"] = pl.DataFrame(list(stocks), schema=["origin", "destination", "persons"], orient="row")
    if prices:
        rows = [
            {
                "figure_id": name,
                "quantity": "smuggling_price",
                "indicator": "price per person",
                "origin": o,
                "destination": d,
                "date_start": "2018-01-01",
                "unit": "USD",
                "source_id": source,
                "value": usd,
            }
            for name, o, d, usd, source in prices
        ]
        frames["figures"] = pl.DataFrame(rows, schema=FIGURE_SCHEMA)
    return World(frames, path)


def shuffled(region, seed):
    """The same region with the rows of every table in another order."""
    names = ("places", "legs", "stocks", "figures")
    return World({n: region.table(n).sample(fraction=1.0, shuffle=True, seed=seed) for n in names}, region.path)
