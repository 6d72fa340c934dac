"""Sections on policy, composed from runs that are made by hand."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from brief_pages import region
from brief_runs import DRAWS, a_run, a_view

from zhol.brief import policy_runs
from zhol.brief.content import Number, Paragraph, Table
from zhol.brief.policy_runs import (
    FEW,
    NONE,
    WAITS,
    YEARS,
    Floor,
    read_back,
    reduced,
    scenarios_of,
    waiting,
)
from zhol.brief.sections import elsewhere, recommendations, together, unknowns
from zhol.brief.sections import waiting as waiting_section
from zhol.brief.words import number_text
from zhol.core.quantity import Quantity

LEFT = (1, 4)  # columns of changes in the table of a package


def scaled(run, factor, only=("people",)):
    return replace(run, arrays={**run.arrays, **{n: run.arrays[n] * factor for n in only}})


def passage(run, factor):
    entries = run.arrays["entries"].copy()
    entries[..., 4] *= factor
    return replace(run, arrays={**run.arrays, "entries": entries})


@cache
def made(fitted=True):
    """R1 and R2 halve every stock, as the package that waits does, the less the later it begins."""
    base, scenarios = a_run(), scenarios_of(region(), "KAZ")
    factor = {"r1_borders": 0.5, "r2_interior": 0.5, WAITS: 0.5} | {waiting(w): 0.5 + 0.04 * w for w in YEARS}
    runs = [base, *(scaled(base, factor.get(n, 1.0)) for n in scenarios)]
    names = (policy_runs.BASE, *scenarios)
    runs[names.index("control_only")] = passage(base, 0.5)
    runs[names.index(policy_runs.REFUSALS)] = passage(base, 1.05)
    plans = [SimpleNamespace(scenario=s, actions=()) for s in (None, *scenarios.values())]
    paired = SimpleNamespace(plans=plans, months=())
    arrays, head = reduced("KAZ", names, runs, paired, region().focus)
    share = np.outer(arrays["end irregular_stock"][0][:16], [-0.1, -0.3])
    arrays |= {"share irregular_stock": share, "whole irregular_stock": share.sum(axis=1)}
    view = a_view(base, prior=a_run(spread=0.15, seed=2), fitted=fitted)
    return read_back(arrays, {**head, "instruments": ["patents", "employer_liability"]}, scenarios, view)


@pytest.fixture
def composed(monkeypatch):
    def compose(part, found=None):
        monkeypatch.setattr(part, "judged", lambda given, place: found or made())
        if part is elsewhere:
            monkeypatch.setattr(part, "outlook", lambda given: a_view(a_run()))
        return part.section(region(), "KAZ")

    return compose


def words(pieces):
    told = (p.quantity.value if isinstance(p, Number) else p for p in pieces)
    return "".join(
        f"{p:g}" if isinstance(p, float | int) else p if isinstance(p, str) else getattr(p, "words", "") for p in told
    )


def tables(section):
    return {words(b.title): b for b in section.blocks if isinstance(b, Table)}


def numbers(table):
    return [p for row in table.rows for cell in row for p in cell if isinstance(p, Number)]


def with_floors(*floors, name="r1_borders"):
    return replace(made(), floors={**made().floors, name: floors})


def test_what_is_not_lawful_stands_last_marked_and_with_its_floor(composed):
    section = composed(recommendations)
    titles = list(tables(section))[1:]
    assert [t.endswith("not lawful") for t in titles] == [False] * 4 + [True]
    assert "interior control" in titles[-1]
    told = words(section.blocks[-1].content)
    assert told.startswith("Not lawful: breaks “Detention is the last resort” (detention as a penalty")
    assert "1 would break a floor of rights" in words(section.blocks[0].content)


@pytest.mark.parametrize(
    ("share", "verdict", "standing", "said"),
    [
        (0.6, "breaks", "not lawful, draws differ", "The draws do not agree"),
        (0.97, "breaks", "not lawful", "Not lawful: breaks"),
        (0.3, "divided", "lawful, draws differ", "Lawful, but the draws do not agree"),
    ],
)
def test_a_verdict_by_outcomes_says_how_sure_it_is(composed, share, verdict, standing, said):
    found = with_floors(Floor("Nobody is returned to danger", verdict, "KAZ", "removals rise", share))
    section = composed(recommendations, found)
    overview = tables(section)["The recommendations beside each other"]
    assert next(words(row[1]) for row in overview.rows if "Recommendation 1" in words(row[0])) == standing
    notes = [words(b.content) for b in section.blocks if isinstance(b, Paragraph) and b.kind == "note"]
    told = next(t for t in notes if said in t and "removals rise" in t)
    assert f"in {100 * share:g} of the draws" in told


def test_control_and_people_stand_side_by_side_with_interval_chance_and_studies(composed):
    borders = next(t for name, t in tables(composed(recommendations)).items() if "Recommendation 1" in name)
    side = ("Change", "Better in")
    assert tuple(words(c.title) for c in borders.columns) == ("Control", *side, "People", *side)
    label, (change,), (chance,) = borders.rows[0][:3]
    assert words(label).startswith("People in an irregular status, in Kazakhstan")
    assert (change.quantity.low, change.quantity.value, change.quantity.high) == pytest.approx((-50.0,) * 3)
    assert chance.quantity.value == 100.0 and chance.quantity.no_interval
    first, *rest = change.quantity.sources
    assert first == policy_runs.RUNS
    assert len(rest) > 3 and set(rest) <= set(policy_runs.studies())


def test_no_count_of_people_is_printed_only_changes_and_shares(composed):
    for part in (recommendations, together, elsewhere, waiting_section):
        for block in composed(part).blocks:
            for number in numbers(block) if isinstance(block, Table) else ():
                assert number.quantity.unit in ("%", "")  # the last: numbers inside titles


def test_outcomes_that_no_figure_narrowed_are_marked(composed):
    assert "irregular_stock" in made().prior
    borders = next(t for name, t in tables(composed(recommendations)).items() if "Recommendation 1" in name)
    assert "(prior)" in words(borders.rows[0][0])
    bare = made(fitted=False)
    section = composed(recommendations, bare)
    assert "all of it is prior" in words(section.blocks[1].content)
    assert "every parameter of the system from its prior" in words(composed(unknowns, bare).blocks[2].content)


def test_a_package_that_changes_nothing_says_so_in_words(composed):
    networks = next(t for name, t in tables(composed(recommendations)).items() if "networks" in name)
    assert {row[i][0] for row in networks.rows for i in LEFT} <= {NONE, FEW}
    assert {row[i][0] for row in networks.rows for i in (2, 5)} == {"–"}


def test_packages_together_say_what_they_surely_change(composed):
    section = composed(together)
    titles = [t.removesuffix(" – not lawful") for t in tables(section)]
    assert {"Control only", "Protect and regularise", "Cooperate"} <= set(titles)
    told = [words(b.content) for b in section.blocks if isinstance(b, Paragraph)]
    own = next(t for t in told if t.startswith("Protect and regularise"))
    assert "Better in nine draws of ten or more: people in an irregular status, in Kazakhstan" in own


def test_instruments_of_a_package_add_up_in_every_draw(composed):
    apart = tables(composed(together))["Protect and regularise: what each instrument adds"]
    assert [cell[0].quantity.value for _, cell in apart.rows] == pytest.approx([-10.0, -30.0, -40.0])


def test_the_system_stands_beside_the_study_of_refused_visas(composed):
    note = words(composed(together).blocks[-1].content)
    assert "entries without papers in" in note and "change by 5 in the system" in note
    study = next(p for p in composed(together).blocks[-1].content if isinstance(p, Number) and p.quantity.low)
    assert study.quantity.unit == "%"


def test_waiting_costs_a_share_of_the_person_years_between(composed):
    table = tables(composed(waiting_section))["What waiting costs"]
    for cell, wait in zip(table.rows[0][1:], YEARS, strict=True):
        assert cell[0].quantity.value == pytest.approx(100 * 0.04 * wait)
    assert table.rows[3][1:] == ((NONE,),) * 3  # attempts: the made-up runs differ in stocks only


def test_what_is_kept_out_is_a_share_of_all_who_come(composed):
    effects = tables(composed(elsewhere))["The substitution effects"]
    heads = [words(c.title) for c in effects.columns]
    column = next(i for i, h in enumerate(heads) if h.startswith("Control only"))
    entries = np.full(5, 0.2)
    assert effects.rows[0][column][0].quantity.value == pytest.approx(-100 * 0.5 * entries[4])
    borders = next(i for i, h in enumerate(heads) if h.startswith("Recommendation 1"))
    assert effects.rows[0][borders] == (elsewhere.NOBODY,)


def test_a_share_too_wide_to_mean_anything_is_told_as_a_chance():
    row = {"per_100": 5.0, "per_100_low": -900.0, "per_100_high": 50.0, "probability": 0.6}
    assert words(elsewhere._cell(row, ())) == "not known; more in 60"
    row |= {"per_100_low": -10.0}
    assert elsewhere._cell(row, ())[0].quantity.value == 5.0


def test_the_burden_on_others_is_outside_the_acting_country(composed, monkeypatch):
    monkeypatch.setattr(elsewhere, "_countable", lambda region, view, place: True)
    burden = next(t for n, t in tables(composed(elsewhere)).items() if n.startswith("Burden on others"))
    assert burden.rows
    assert all(words(row[0]) != "Kazakhstan" for row in burden.rows)
    assert all(row[1][0].quantity.value == pytest.approx(-50.0) for row in burden.rows)


def test_draws_that_run_away_under_one_package_are_left_out_of_all():
    found = made()
    arrays = {f"end {k}": v.copy() for k, v in found.at_end.items()}
    arrays |= {f"years {k}": v.copy() for k, v in found.person_years.items()}
    arrays["end irregular_stock"][3, 7] = np.inf
    head = {"names": found.names, "place": "KAZ", "floors": {}, "moved": [], "units": found.units, "instruments": []}
    assert read_back(arrays, head, found.scenarios, a_view(a_run(), fitted=False)).draws == DRAWS - 1


def test_every_effect_without_a_study_is_named(composed):
    from zhol.policy.instruments import instrument

    named = {words(row[0]): row for row in tables(composed(unknowns))["Effects that are priors only"].rows}
    assert named[instrument("carrier_sanctions").title][1][0].quantity.value == 0
    for one in {instrument(i).id: instrument(i) for s in made().scenarios.values() for i in s.instruments}.values():
        assert (one.title in named) == any(not e.evidence and not e.definition for e in one.effects)


def test_rates_on_few_people_and_changes_of_nothing_are_not_told():
    assert policy_runs.relative(np.full(5, 40.0), np.full(5, 50.0), "persons", ()) == (FEW,)
    assert policy_runs.relative(np.full(5, 500.0), np.full(5, 500.0), "persons", ()) == (NONE,)


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (Quantity(-61.4, -90.2, 121.0, "%", (), "i"), ("−61%", "−90 to +121%")),
        (Quantity(0.04, -0.04, 1.0, "%", (), "i"), ("0%", "0 to +1%")),
        (Quantity(1.78e6, -6.95e5, 4.24e6, "persons", (), "i"), ("+1.78 million", "−695 thousand to +4.24 million")),
        (Quantity(None, -40.0, 30.0, "persons", (), "i"), ("−40 to +30", "")),
    ],
)
def test_a_change_carries_its_sign(quantity, shown):
    assert number_text(quantity, "signed") == shown


def test_shares_of_draws_that_break_a_floor_agree_with_the_verdict():
    from zhol.policy.rights import judge, outcome_shares

    base = a_run()
    flows = base.arrays["flows"].copy()
    flows[:30] *= 2.0  # removals and all else double in three quarters of the draws
    run = replace(base, arrays={**base.arrays, "flows": flows})
    shares = {(f.id, t.measure, p): s for f, t, p, s in outcome_shares(run, base)}
    seen = {(b.floor, b.what, b.place): b.probability for b in judge(run, base)}
    assert seen == {k: s for k, s in shares.items() if s > 0.5}
    assert {s for (_, what, _), s in shares.items() if what == "removals_in_need"} <= {0.75}


def test_the_moved_table_keeps_its_columns():
    assert isinstance(made().moved, pl.DataFrame) and {"scenario", "what", "per_100"} <= set(made().moved.columns)
