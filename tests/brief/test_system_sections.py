"""The system, the projection and the trust in it, composed from runs and a backtest that are made by hand."""

import numpy as np
import polars as pl
import pytest
from brief_pages import region
from brief_runs import a_run, a_view, meeting

from zhol.brief.content import Bullets, Figure, Number, Paragraph, Table, When
from zhol.brief.model_runs import FITTED, UNFITTED
from zhol.brief.sections import projection, the_system, trust
from zhol.brief.sections.credible import WITHHELD, _times, credible
from zhol.core.quantity import Quantity


def composed(monkeypatch, part, view, place="KAZ"):
    monkeypatch.setattr(part, "outlook", lambda given: view)
    return part.section(region(), place)


def words_of(block):
    """Running text of a paragraph, numbers as their value."""
    out = []
    for piece in block.content:
        if isinstance(piece, Number):
            out.append(f"{piece.quantity.value:g}" if piece.quantity.value is not None else "range")
        elif isinstance(piece, When):
            out.append(piece.shown)
        elif isinstance(piece, str):
            out.append(piece)
    return "".join(out)


def test_statuses_stand_apart_with_the_quantiles_of_the_draws(monkeypatch):
    run = meeting(a_run())
    section = composed(monkeypatch, the_system, a_view(run, prior=a_run(spread=3.0, seed=2)))
    table = next(b for b in section.blocks if isinstance(b, Figure)).data
    assert [row[1][0] for row in table.rows] == ["regular"] * 5 + ["irregular"] * 5
    here = np.array([d == "KAZ" for _, d in run.corridors])
    for i, row in enumerate(table.rows):
        draws = run.arrays["people"][:, 24, here, i].sum(axis=1)
        said = row[2][0].quantity
        assert (said.low, said.value, said.high) == pytest.approx(tuple(np.quantile(draws, [0.1, 0.5, 0.9])))
        assert said.interval == FITTED


def figure_table(section):
    return next(b for b in section.blocks if isinstance(b, Figure)).data


def test_a_status_stands_on_figures_of_its_own_or_of_a_sum_if_they_narrowed_it_to_half(monkeypatch):
    section = composed(monkeypatch, the_system, a_view(a_run(), prior=a_run(spread=3.0, seed=2)))
    stands = dict(zip(the_system.STATUSES, (row[4][0] for row in figure_table(section).rows), strict=True))
    summed = dict.fromkeys(("clandestine", "overstayer", "unauthorised", "breach"), "a sum")
    alone = {"resident": "figures", "protected": "figures"}
    assert stands == {**dict.fromkeys(("worker", "visitor", "pending", "refused"), "prior"), **summed, **alone}
    section = composed(monkeypatch, the_system, a_view(a_run(), prior=a_run(spread=0.15, seed=2)))
    assert {row[4][0] for row in figure_table(section).rows} == {"prior"}


def warned(section):
    return ["".join(p for p in item if isinstance(p, str)) for b in section.blocks if isinstance(b, Bullets)
            and b.kind == "warning" for item in b.items]  # fmt: skip


def test_a_number_that_a_published_one_contradicts_is_withheld_and_the_line_says_how_far(monkeypatch):
    # The made-up run has many times the refugees and claims that are published for Kazakhstan, and few residents.
    section = composed(monkeypatch, the_system, a_view(a_run(), prior=a_run(spread=3.0, seed=2)))
    cells = dict(zip(the_system.STATUSES, (row[2] for row in figure_table(section).rows), strict=True))
    assert {s for s, cell in cells.items() if cell == WITHHELD} == {"resident", "protected", "pending"}
    told = warned(section)
    assert any("refugees, protected, in Kazakhstan, for the median of the system is" in line for line in told)
    beside = next(b for b in section.blocks if isinstance(b, Table) and "against what is published" in str(b.title))
    verdicts = {row[0][0]: (row[2], row[4][0]) for row in beside.rows}
    assert verdicts["Refugees, protected"] == (WITHHELD, "no: too high")
    assert verdicts["In an irregular status, reconciled"][1] == "yes"
    assert verdicts["In an irregular status, reconciled"][0] != WITHHELD


def test_credible_numbers_are_all_shown(monkeypatch):
    view = a_view(meeting(a_run()))
    judged = credible(view, region(), "KAZ")
    assert judged.why == () and judged.warning() == ()
    for part in (the_system, projection):
        section = composed(monkeypatch, part, view)
        assert warned(section) == []
        cells = [cell for b in section.blocks for cell in getattr(b, "data", b).__dict__.get("rows", ())]
        assert cells and all(WITHHELD not in row for row in cells)


def test_a_gap_counts_from_half_as_much_again_and_a_thousand_people():
    far = Quantity(10_000.0, 8_000.0, 12_000.0, "persons", ("S",), "made for a test")
    assert _times(17_000.0, far) is None and _times(5_500.0, far) is None
    assert _times(24_000.0, far) == pytest.approx(2.0)
    assert _times(4_000.0, far) == pytest.approx(0.5)
    few = Quantity(50.0, None, None, "persons", ("S",), no_interval="made for a test")
    assert _times(900.0, few) is None and _times(5_000.0, few) == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("scale", "place", "why"),
    [
        (1000.0, "LKA", "No figure on labour or irregular stay with Sri Lanka"),
        (30_000.0, "KAZ", "more of them there than all residents"),
    ],
)
def test_numbers_that_nothing_holds_or_that_cannot_be_are_not_shown(monkeypatch, scale, place, why):
    view = a_view(a_run(scale=scale))
    section = composed(monkeypatch, the_system, view, place)
    assert any(why in line for line in warned(section))
    assert not any("Roads" in str(b.title[0]) for b in section.blocks if isinstance(b, Table))
    for table in (b.data for b in section.blocks if isinstance(b, Figure)):
        assert all(row[2] == row[3] == WITHHELD for row in table.rows[5:])
    section = composed(monkeypatch, projection, view, place)
    assert not [b for b in section.blocks if isinstance(b, Figure | Table)] and len(warned(section)) == 1


def test_a_projection_that_outgrows_the_population_is_not_shown(monkeypatch):
    section = composed(monkeypatch, projection, a_view(a_run(growth=0.15, scale=30.0)))
    assert "No projection is shown" in warned(section)[0]
    assert not [b for b in section.blocks if isinstance(b, Figure | Table)]


def test_without_a_posterior_every_number_is_said_to_be_prior(monkeypatch):
    section = composed(monkeypatch, the_system, a_view(meeting(a_run()), fitted=False))
    assert "every number here is prior" in words_of(section.blocks[0])
    table = next(b for b in section.blocks if isinstance(b, Figure)).data
    assert {row[4][0] for row in table.rows} == {"prior"}
    assert table.rows[0][2][0].quantity.interval == UNFITTED


def test_roads_say_that_no_price_or_capacity_is_known_and_touch_the_place(monkeypatch):
    section = composed(monkeypatch, the_system, a_view(a_run()))
    said = " ".join(words_of(b) for b in section.blocks if isinstance(b, Paragraph))
    assert "No price or capacity is known for most roads" in said
    roads = next(b for b in section.blocks if isinstance(b, Table) and "Roads" in str(b.title[0]))
    assert 0 < len(roads.rows) <= the_system.ROADS
    for row in roads.rows:
        assert "Kazakhstan" in row[0][0]
        assert row[2][0].quantity.value == pytest.approx(500.0)  # revenue over volume
    roles = next(b for b in section.blocks if isinstance(b, Table) and "Roles" in str(b.title[0]))
    assert roles.rows[0][0][0] == "Kazakhstan"


@pytest.mark.parametrize(
    ("growth", "verdict"), [(0.02, "finds that likely"), (-0.02, "finds that unlikely"), (0.0, "cannot tell")]
)
def test_the_paper_is_answered_with_a_chance(monkeypatch, growth, verdict):
    run = a_run(growth)
    section = composed(monkeypatch, projection, a_view(run))
    lead = words_of(section.blocks[0])
    assert "The paper of 2009 expected irregular migration to intensify" in lead
    assert verdict in lead
    side = the_system.main_side(a_view(run), "KAZ")
    total = run.draws("irregular_stock", (), {side: "KAZ"})[0]
    assert f"{100 * np.mean(total[:, -1] > total[:, 24]):g} of the draws" in lead


def test_the_projection_has_fans_statuses_corridors_variants_and_what_is_assumed(monkeypatch):
    section = composed(monkeypatch, projection, a_view(meeting(a_run())))
    assert sum(isinstance(b, Figure) for b in section.blocks) == 3
    titles = [str(b.title[0]) for b in section.blocks if isinstance(b, Table)]
    for wanted in ("by status", "largest corridors", "other paths"):
        assert any(wanted in t for t in titles), wanted
    variants = next(b for b in section.blocks if isinstance(b, Table) and "other paths" in str(b.title[0]))
    assert [row[1][0].quantity.value for row in variants.rows] == pytest.approx([0.0] * 4)


def test_a_place_with_hardly_anybody_has_no_projection_and_shows_no_small_count(monkeypatch):
    view = a_view(a_run(scale=0.01))
    assert composed(monkeypatch, projection, view) is None
    section = composed(monkeypatch, the_system, view)
    for block in section.blocks:
        for row in block.rows if isinstance(block, Table) else ():
            shown = [p.quantity for cell in row for p in cell if isinstance(p, Number)]
            assert all(q.value is None or q.value >= 10 for q in shown if q.unit == "persons")


def test_a_pack_that_cannot_be_run_has_none_of_the_three(monkeypatch):
    for part in (the_system, projection, trust):
        assert composed(monkeypatch, part, None) is None


def figure(kind, predicted, value, *, origin="UZB", seen=True, rival=10_000.0, end="2020-06"):
    row = {"series": kind, "kind": kind, "origin": origin, "destination": "KAZ", "label": kind, "month_start": end}
    row |= {"month_end": end, "value": value, "predicted": predicted, "crps": 0.1, "seen": seen}
    row |= {
        "low_50": 0.9 * predicted,
        "high_50": 1.1 * predicted,
        "low_80": 0.8 * predicted,
        "high_80": 1.2 * predicted,
    }
    row |= {f"inside_{n}": row[f"low_{n}"] <= value <= row[f"high_{n}"] for n in (50, 80)}
    row["log_error"] = float(np.log(predicted / value))
    for name in trust.YARDSTICKS:
        row |= {name: rival, f"error {name}": float(np.log(rival / value))}
    return row


@pytest.fixture
def tested(tmp_path):
    """Citizens: two right and one far off, a yardstick better. Remittances: better than every yardstick."""
    import json

    from zhol.trust import load_backtest

    rows = [figure("citizens", p, 10_000.0, end=e) for p, e in ((10_500.0, "2020-06"), (11_000.0, "2021-06"))]
    rows += [figure("citizens", 90_000.0, 10_000.0, origin="KGZ", end="2022-06")]
    rows += [figure("remittances", 50.0, 50.0, end=f"202{i}-12") for i in range(3)]
    body = {"figures": rows, "discrepancy": {}, "meta": {"cut": "2014-12", "drivers": "observed"}}
    (tmp_path / "backtest_2014.json").write_text(json.dumps(body))
    return load_backtest(tmp_path / "backtest_2014.json")


def test_misses_come_first_and_better_yardsticks_are_named(monkeypatch, tested):
    monkeypatch.setattr(trust, "backtest_of", lambda given: tested)
    section = composed(monkeypatch, trust, a_view(a_run()))
    lead = words_of(section.blocks[0])
    assert "Fitted to figures up to 2014-12 only" in lead
    assert f"held {100 * 5 / 6:g}" in lead
    misses = section.blocks[1].data
    assert misses.rows[0][0][0] == "Kyrgyzstan to Kazakhstan"
    assert misses.rows[0][4][0].quantity.value == pytest.approx(900.0)
    scores = next(b for b in section.blocks if isinstance(b, Table))
    citizens = next(r for r in scores.rows if "citizens" in r[0][0])
    assert citizens[2][0].quantity.value == pytest.approx(10.0)  # the middle of 5, 10 and 800 per cent
    assert citizens[4][0].quantity.value == pytest.approx(100 * 2 / 3)
    said = " ".join("".join(p for p in item if isinstance(p, str)) for item in section.blocks[-1].items)
    assert "A yardstick did better than the system on citizens present abroad" in said
    assert "better than every yardstick on remittances" in said
    assert "too narrow on citizens" in said


def test_without_a_backtest_the_brief_says_that_nobody_knows(monkeypatch):
    monkeypatch.setattr(trust, "backtest_of", lambda given: None)
    section = composed(monkeypatch, trust, a_view(a_run()))
    assert "No backtest ships with this pack" in words_of(section.blocks[0])


def test_the_report_of_a_backtest_is_a_page_with_its_tables(tested, tmp_path):
    from zhol.brief.backtest_report import write_backtest_report
    from zhol.trust import load_backtest

    files = write_backtest_report(region(), tested, tmp_path / "report")
    assert [f.name for f in files] == ["backtest.html", "figures.csv", "scores.csv", "backtest.json"]
    assert "Kyrgyzstan to Kazakhstan" in files[0].read_text("utf-8")
    assert pl.read_csv(files[1]).height == 6
    assert load_backtest(files[3]).figures.height == 6
