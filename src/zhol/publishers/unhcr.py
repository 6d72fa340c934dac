"""UNHCR: asylum applications and first decisions counted in persons, refugees and people whose claim is pending."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import add_up, total
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import COUNT, TEXT, WHOLE, read

# Stages that hear a claim for the first time. Left out, so that one claim is not counted twice: administrative (AR)
# and judicial (JR) review, repeat claims (RA), backlog exercises (BL), and leave outside asylum law (TR, CA).
_FIRST = ["FI", "NA", "FA", "IN", "EO", "TA", "SP", "TP"]
# New claims, and those kinds that states report together with new ones and that nobody can part again
# (NR new and repeat, NA and FA new and appeal; V: kind not stated, all of 2000-2005).
_NEW = ["N", "NR", "NA", "FA", "V", "SP"]
_MIXED = {"NR": "includes repeat claims", "NA": "includes appeals", "FA": "includes appeals"}
_UNKNOWN = ["UNK", "XXA"]
_PAIR = ["year", "orig", "asylum"]
_DECISIONS = {
    "recognised": "dec_recognized",
    "other_protection": "dec_other",
    "rejected": "dec_rejected",
    "closed": "dec_closed",
}


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Tables ``asylum`` and ``refugees``."""
    return {"asylum": _asylum(root, plan), "refugees": _refugees(root, plan)}


def _asylum(root: Path, plan: Plan) -> pl.DataFrame:
    cells = _applications(root).join(_decisions(root), on=_PAIR, how="full", coalesce=True)
    cells = cells.filter(pl.col("year") >= plan.first_year).select(
        "year",
        "applications",
        *_DECISIONS,
        "cases",
        "mixed",
        origin=plan.place("orig", _UNKNOWN),
        destination=plan.place("asylum"),
        parts=pl.max_horizontal("parts_applied", "parts_decided"),
    )
    ends = ["origin", "destination"]
    values = ["applications", *_DECISIONS, "cases"]
    added = add_up(cells, plan, ["year"], ends, values)
    mixed = cells.explode("mixed").drop_nulls("mixed").group_by("year", *ends)
    added = added.join(mixed.agg(pl.col("mixed").unique().sort().str.join("; ")), on=["year", *ends], how="left")
    known = pl.any_horizontal(pl.col(c).is_not_null() for c in ["applications", *_DECISIONS])
    return (
        added.filter(known)
        .select(
            "year",
            *ends,
            "applications",
            *_DECISIONS,
            source_id=pl.lit("UNHCR_ASYLUM"),
            status="status",
            note=_note(),
        )
        .sort("year", *ends)
    )


def _note() -> pl.Expr:
    cases = pl.format("a further {} new claims are published as cases, not persons, and are not added", "cases")
    text = pl.concat_str("mixed", pl.when(pl.col("cases") > 0).then(cases), separator="; ", ignore_nulls=True)
    return pl.when(text == "").then(None).otherwise(text)


def _applications(root: Path) -> pl.DataFrame:
    """New claims of a pair and year: persons, and beside them those that were only published as cases."""
    frame = read(
        root,
        "unhcr_asylum/unhcr_asylum_applications.csv",
        {
            "year": WHOLE,
            "orig": TEXT,
            "asylum": TEXT,
            "app_type": TEXT,
            "dec_level": TEXT,
            "app_pc": TEXT,
            "applied": COUNT,
        },
    ).filter(pl.col("dec_level").is_in(_FIRST), pl.col("app_type").is_in(_NEW))
    persons = pl.col("app_pc") == "P"
    words = pl.col("app_type").replace_strict(_MIXED, default=None, return_dtype=pl.String)
    return frame.group_by(_PAIR).agg(
        applications=pl.when(persons.any()).then(pl.col("applied").filter(persons).sum()),
        cases=pl.when((~persons).any()).then(pl.col("applied").filter(~persons).sum()),
        mixed=words.filter(persons).drop_nulls().unique().sort(),
        parts_applied=persons.sum(),
    )


def _decisions(root: Path) -> pl.DataFrame:
    columns = {"year": WHOLE, "orig": TEXT, "asylum": TEXT, "dec_level": TEXT, "dec_pc": TEXT}
    frame = read(
        root, "unhcr_asylum/unhcr_asylum_decisions.csv", {**columns, **dict.fromkeys(_DECISIONS.values(), COUNT)}
    ).filter(pl.col("dec_level").is_in(_FIRST), pl.col("dec_pc") == "P")
    renamed = frame.select(*_PAIR, **_DECISIONS)
    return renamed.group_by(_PAIR).agg(*[total(c) for c in _DECISIONS], parts_decided=pl.len())


def _refugees(root: Path, plan: Plan) -> pl.DataFrame:
    """People at year end. Rows that UNHCR publishes for other groups only (both numbers 0) say nothing here."""
    columns = {"year": WHOLE, "orig": TEXT, "asylum": TEXT, "refugees": COUNT, "asylum_seekers": COUNT}
    cells = (
        read(root, "unhcr_population/unhcr_population.csv", columns)
        .filter(pl.col("year") >= plan.first_year, pl.col("refugees") + pl.col("asylum_seekers") > 0)
        .select(
            "year",
            "refugees",
            "asylum_seekers",
            origin=plan.place("orig", _UNKNOWN),
            destination=plan.place("asylum"),
        )
    )
    added = add_up(cells, plan, ["year"], ["origin", "destination"], ["refugees", "asylum_seekers"])
    return added.with_columns(source_id=pl.lit("UNHCR_POPULATION")).select(
        "year", "origin", "destination", "refugees", "asylum_seekers", "source_id", "status"
    )
