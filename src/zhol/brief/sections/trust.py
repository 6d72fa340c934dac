"""How far to trust this: what a fit to an earlier date missed of what came after, and who would have known better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief import read
from zhol.brief.content import (
    Block,
    Bullets,
    Column,
    Figure,
    Number,
    Paragraph,
    Section,
    Table,
    Text,
    When,
    plain,
    text,
)
from zhol.brief.model_runs import PACK, backtest_of, outlook
from zhol.brief.quantities import SMALLEST_CELL, computed, counted
from zhol.core.charts import interval_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.trust.backtesting import Backtest

MISSES = 6
LARGE = 1000  # persons: of smaller figures a large error says little
FEW = 3  # figures of a kind below which it has no score
SHARE = "a share of held-out figures, which has no interval of its own"
ERROR = "a median over held-out figures, which has no interval of its own"
CAME = "one published figure, which the fit had not seen"
PREDICTED = "80% interval of the prediction, error of the figure included"
YARDSTICKS = ("no change", "linear trend", "last value with drift")
KINDS = {
    "un_stock": "stocks of the United Nations",
    "citizens": "citizens present abroad",
    "remittances": "remittances",
    "labour": "labour migrants",
    "irregular": "people in an irregular status",
    "flow": "entries and departures",
    "protection": "asylum and refugees",
    "enforcement": "enforcement",
}


def section(region: Region, place: str) -> Section | None:
    """The backtest as it bears on the place: misses first, then scores, then what it does not test."""
    if outlook(region) is None:
        return None
    found = backtest_of(region)
    if found is None or not found.figures.height:
        words = (
            "No backtest ships with this pack, so nobody knows how far the projection can be trusted. The command zhol "
            "backtest makes one: it fits the system to an earlier date and predicts the figures that came after."
        )
        return Section("trust", "How far to trust this", (Paragraph((words,), "lead"),))
    own = found.figures.filter((pl.col("origin") == place) | (pl.col("destination") == place))
    return Section("trust", "How far to trust this", tuple(blocks(region, found, own, read.names(region)[place])))


def blocks(region: Region, found: Backtest, own: pl.DataFrame, called: str) -> list[Block]:
    """Misses among ``own`` figures, then the scores of all."""
    out: list[Block] = [Paragraph(_finding(found, own, called), "lead")]
    if own.height:
        out += _misses(region, own, called)
    out += [_scores(found), Bullets((*_by_horizon(found), *_verdicts(found)))]
    return out


def _finding(found: Backtest, own: pl.DataFrame, called: str) -> Text:
    """How many figures, how many inside, and whether that is what the intervals claim."""
    words = (
        "Fitted to figures up to {cut} only, the system was asked for {all} that came after. Its intervals, which "
        "claim four fifths, held {share}"
    )
    figures = found.figures
    parts: dict[str, Any] = {
        "cut": When(str(found.meta["cut"])),
        "all": counted(figures.height, "figures"),
        "share": _share(figures["inside_80"].mean()),
    }
    if own.height:
        words += "; of the {some} on {name}, {held}"
        parts |= {
            "some": counted(own.height, "figures"),
            "name": called,
            "held": _share(own["inside_80"].mean()),
        }
    drivers = {
        "observed": "It was given the populations, incomes and conflicts that came.",
        "projected": "It was given populations, incomes and conflicts as they could be projected then.",
    }
    return text(words + ". " + drivers.get(str(found.meta.get("drivers")), ""), **parts)


def _share(value: Any) -> Number:
    share = Quantity(100 * float(value or 0), None, None, "%", (PACK,), no_interval=SHARE)
    return Number(share, "value", quiet=True)


def _misses(region: Region, own: pl.DataFrame, called: str) -> list[Block]:
    """The figures farthest off, one a series and corridor: predicted interval, and what came."""
    large = own.filter((pl.col("value") >= LARGE) | (pl.col("kind") == "remittances"))
    worst = (
        (large if large.height else own.filter(pl.col("value") >= SMALLEST_CELL))
        .sort("inside_80", pl.col("log_error").abs(), descending=[False, True])
        .unique(["series", "origin", "destination"], keep="first", maintain_order=True)
        .head(MISSES)
    )
    names = read.names(region)
    points, lines = [], []
    for row in worst.to_dicts():
        what = f"{_corridor(row, names)}, {KINDS.get(row['kind'], row['kind'])}, {row['month_end'][:4]}"
        said, low, high = row["predicted"], row["low_80"], row["high_80"]
        points.append({"label": what, "group": "predicted", "value": said, "low": max(low, 1.0), "high": high})
        points.append({"label": what, "group": "came", "value": row["value"], "low": None, "high": None})
        unit = "USD million" if row["kind"] == "remittances" else "persons"
        small = unit == "persons" and said < SMALLEST_CELL
        predicted = Quantity(None if small else said, 0.0 if small else low, high, unit, (PACK,), PREDICTED)
        came = Quantity(row["value"], None, None, unit, (PACK,), no_interval=CAME)
        lines.append(
            (
                (*plain(_corridor(row, names)), f", {KINDS.get(row['kind'], row['kind'])}"),
                (When(str(row["month_end"])),),
                (Number(predicted),),
                (Number(came),),
                (_share(said / row["value"]),),
            )
        )
    if not points:
        return []
    title = text("Missed by most: {name}, figures of a thousand people or more", name=called)
    heads = (
        Column(("Figure",), width=2),
        Column(("Date",), width=0.7),
        Column(("Predicted",), number=True, width=1.3),
        Column(("Came",), number=True),
        Column(("Predicted, of what came",), number=True),
    )
    return [
        Figure(
            title=title,
            svg=to_svg(interval_spec(points, unit="persons; USD million for remittances", log=True)),
            alt=f"Predictions with their intervals, and the figures that came, for {called}.",
            data=Table(title, heads, tuple(lines)),
            note=("One figure a series and corridor. A dot outside its line is a miss.",),
        )
    ]


def _corridor(row: dict[str, Any], names: dict[str, str]) -> str:
    ends = [names.get(row[k], row[k]) for k in ("origin", "destination") if row[k]]
    return " to ".join(str(e) for e in ends)


def _scores(found: Backtest) -> Table:
    """By kind of series: errors of the system and of the yardsticks, and what its intervals held."""
    lines: list[tuple[Text, ...]] = []
    enough = found.scores.filter(pl.col("figures") >= FEW)
    for row in enough.sort("seen", "figures", descending=True).to_dicts():
        name = KINDS.get(row["kind"], row["kind"]) + ("" if row["seen"] else " (series not seen)")
        cells: list[Text] = [(name,), (Number(counted(row["figures"], "figures"), "exact", quiet=True),)]
        cells += [(_error(row["median_error"]),), (_share(row["coverage_50"]),), (_share(row["coverage_80"]),)]
        cells += [(_error(row[y]),) if row["seen"] and _is(row[y]) else ("none",) for y in YARDSTICKS]
        lines.append(tuple(cells))
    heads = (
        Column(("Kind of figure",), width=1.9),
        Column(("Figures",), number=True, width=0.8),
        Column(("Median error",), number=True),
        Column(("Held by half",), number=True),
        Column(("Held by four fifths",), number=True),
        Column(("No change",), number=True),
        Column(("Trend",), number=True),
        Column(("Drift",), number=True),
    )
    note = (
        "Median error: how far the prediction lies from what came, up or down. Held by: share of the figures inside "
        "the interval that claims half, or four fifths. Last three: median error of what anybody could have said "
        "without a model. A series not seen before has no yardstick."
    )
    return Table(("The system against what came, and against three yardsticks",), heads, tuple(lines), note=(note,))


def _by_horizon(found: Backtest) -> tuple[Text, ...]:
    """How the error of stocks grows with the years after the cut."""
    rows = found.stocks_by_horizon().to_dicts()
    if not rows:
        return ()
    words = "Stocks of the corridors that touch the region, median error by year: "
    pieces: list[Any] = [words]
    for i, row in enumerate(rows):
        pieces += [", " if i else "", _error(row["median_error"]), " in ", When(str(row["year"]))]
    return ((*[p for p in pieces if p != ""], "."),)


def _is(value: Any) -> bool:
    return value is not None and value == value


def _error(log_error: float) -> Number:
    """A log error as a percentage, up or down."""
    import math

    value = 100 * (math.exp(float(log_error)) - 1)
    return Number(computed(value, "%", (PACK,), ERROR), "value", quiet=True)


def _verdicts(found: Backtest) -> tuple[Text, ...]:
    """Where a yardstick is better, where intervals are too narrow, and what is not tested at all."""
    seen = found.scores.filter(pl.col("seen")).to_dicts()
    worse: list[str] = []
    better: list[str] = []
    for row in seen:
        rivals = [(row[y], y) for y in YARDSTICKS if _is(row[y])]
        if rivals and row["figures"] >= FEW:
            best = min(rivals)
            words = f"{KINDS.get(row['kind'], row['kind'])} ({best[1]})"
            (worse if best[0] < row["median_error"] else better).append(words)
    narrow = [KINDS.get(r["kind"], r["kind"]) for r in seen if r["coverage_80"] < 0.7 and r["figures"] >= FEW]
    items: list[Text] = []
    if worse:
        items.append((f"A yardstick did better than the system on {read.joined(worse)}.",))
    if better:
        kinds = [w.split(" (")[0] for w in better]
        items.append((f"The system did better than every yardstick on {read.joined(kinds)}.",))
    if narrow:
        items.append((f"Intervals were too narrow on {read.joined(narrow)}: read those fans as wider than drawn.",))
    items.append(
        (
            "Not tested by any figure: categories of irregularity apart, prices and volumes of passage, deaths on the "
            "road, exposure to exploitation. Nothing published says whether the system is right about them.",
        )
    )
    return tuple(items)
