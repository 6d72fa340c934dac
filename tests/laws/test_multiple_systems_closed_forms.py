"""Several lists where the answer can be written down: two lists, three lists, and what must not matter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zhol
from zhol.estimate._multiple_systems import latent_class

SEVEN = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)]
some = st.integers(1, 400)


def three(cells: list[int]) -> dict[str, list[int]]:
    a, b, c = zip(*SEVEN, strict=True)
    return {"A": list(a), "B": list(b), "C": list(c), "n": cells}


def ask(table: Any, **settings: Any) -> zhol.core.result.Estimate:
    return zhol.estimate.lists(table, count="n", interval="wald", opinions=False, **settings)


@given(some, some, some)
def test_two_lists_are_lincoln_and_petersen(both: int, only_a: int, only_b: int) -> None:
    est = ask({"A": [1, 1, 0], "B": [1, 0, 1], "n": [both, only_a, only_b]})
    assert est.population == pytest.approx((both + only_a) * (both + only_b) / both, rel=1e-9)
    assert est.details["se_log_unseen"] ** 2 == pytest.approx(1 / both + 1 / only_a + 1 / only_b, rel=1e-7)
    assert est.details["deviance"] == pytest.approx(0, abs=1e-8)


@given(st.lists(some, min_size=7, max_size=7))
def test_three_lists_with_all_two_list_effects(cells: list[int]) -> None:
    a, b, c, ab, ac, bc, abc = cells
    unseen = a * b * c * abc / (ab * ac * bc)
    est = ask(three(cells), model="all")
    assert est.population == pytest.approx(sum(cells) + unseen, rel=1e-8)
    assert est.details["se_log_unseen"] ** 2 == pytest.approx(sum(1 / x for x in cells), rel=1e-6)


@given(st.lists(some, min_size=7, max_size=7))
def test_third_list_independent_of_the_other_two(cells: list[int]) -> None:
    """Being on A or B, and being on C, are then two lists."""
    a, b, c, ab, ac, bc, abc = cells
    either, third, both = a + b + ab + ac + bc + abc, c + ac + bc + abc, ac + bc + abc
    assert ask(three(cells), model="A*B + C").population == pytest.approx(either * third / both, rel=1e-8)


@given(st.lists(some, min_size=7, max_size=7))
def test_two_lists_independent_given_the_third(cells: list[int]) -> None:
    """Among cases not on C, A and B are two lists."""
    a, b, _, ab, *_ = cells
    unseen = a * b / ab
    assert ask(three(cells), model="~ A*C + B*C").population == pytest.approx(sum(cells) + unseen, rel=1e-8)


@given(st.lists(some, min_size=7, max_size=7))
def test_formula_names_pairs_and_powers_are_one_model(cells: list[int]) -> None:
    table = three(cells)
    first = ask(table, model="all").population
    pairs = [("A", "B"), ("C", "A"), ("B", "C")]
    for model in ("(A + B + C)^2", "A*B + A*C + B*C", "n ~ A + B + C + A:B + A:C + B:C", pairs):
        assert ask(table, model=model).population == pytest.approx(first, rel=1e-10)


@settings(max_examples=5)
@given(st.permutations(range(4)), st.integers(0, 1000))
def test_order_and_names_of_lists_do_not_matter(order: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    on = (rng.random((300, 4)) < [0.3, 0.25, 0.35, 0.2]).astype(int)
    on = on[on.any(1)]
    first = pl.DataFrame({f"L{j}": on[:, j] for j in range(4)})
    second = pl.DataFrame({f"X{place}": on[::-1, j] for place, j in enumerate(order)})
    for model in ("main", "stepwise", "best_bic", "Mth Chao", "average"):
        one = zhol.estimate.lists(first, model=model, replicates=40, opinions=False)
        two = zhol.estimate.lists(second, model=model, replicates=40, opinions=False)
        for end in ("population", "low", "high", "se"):
            assert getattr(one, end) == pytest.approx(getattr(two, end), rel=1e-7), (model, end)


def test_latent_classes_do_not_depend_on_the_order_of_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_class, "SWEEPS", 40)
    monkeypatch.setattr(latent_class, "WARM_UP", 40)
    records = {"A": [1, 1, 0, 1, 0, 0], "B": [1, 0, 1, 0, 1, 0], "C": [0, 1, 1, 0, 0, 1], "n": [9, 7, 5, 40, 31, 22]}
    one = zhol.estimate.lists(records, ["A", "B", "C"], "n", model="latent_class", opinions=False)
    two = zhol.estimate.lists(records, ["C", "A", "B"], "n", model="latent_class", opinions=False)
    assert (one.population, one.low, one.high) == (two.population, two.low, two.high)


def test_any_frame_and_persons_or_counts() -> None:
    table = {"A": [1, 1, 0, 1, 0], "B": [1, 0, 1, 1, 0], "C": [0, 1, 1, 1, 1], "n": [4, 9, 7, 2, 11]}
    first = ask(table).population
    frame = pl.DataFrame(table)
    doubled = pl.concat([frame.with_columns(n=pl.col("n") - 1), frame.with_columns(n=pl.lit(1, pl.Int64))])
    flags = frame.with_columns(pl.col("A", "B", "C").cast(pl.Boolean), pl.col("n").cast(pl.Float64))
    zeros = pl.concat([frame, pl.DataFrame({"A": [1], "B": [0], "C": [0], "n": [0]})])
    same = [frame, frame.to_pandas(), pa.table(table), frame.lazy(), doubled, flags, zeros, frame.to_dicts()]
    for other in same:
        assert ask(other).population == pytest.approx(first, rel=1e-12)
    persons = pd.DataFrame(table).loc[lambda d: d.index.repeat(d["n"])].drop(columns="n")
    assert zhol.estimate.lists(persons, interval="wald", opinions=False).population == pytest.approx(first, rel=1e-12)


def test_empty_overlaps_are_parameters_at_minus_infinity() -> None:
    """With A:C and B:C empty and in the model, C says nothing of A and B: they are two lists beside it."""
    table = {"A": [1, 0, 0, 1], "B": [0, 1, 0, 1], "C": [0, 0, 1, 0], "n": [40, 30, 20, 6]}
    est = ask(table, model="~ A + B + C + A:C + B:C")
    assert est.population == pytest.approx(96 + 40 * 30 / 6, rel=1e-10)
    assert est.details["coefficients"]["A:C"] == est.details["coefficients"]["B:C"] == -math.inf
    assert est.to_dict()["details"]["coefficients"]["A:C"] is None


def test_second_opinions_wait_until_looked_at_and_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_class, "SWEEPS", 100)
    table = {"A": [1, 1, 0, 1, 0], "B": [1, 0, 1, 1, 0], "C": [0, 1, 1, 1, 1], "n": [14, 90, 70, 12, 110]}
    one = zhol.estimate.lists(table, count="n", replicates=50)
    assert "table" not in vars(one) and "warnings" not in vars(one)
    two = zhol.estimate.lists(table, count="n", replicates=50)
    assert two.warnings == one.warnings
    assert one.table.equals(two.table)
    assert one.table["model"].to_list() == [
        "stepwise",
        "best BIC",
        "best AIC",
        "decomposable average",
        "latent classes",
    ]
    assert one.table.filter("chosen")["population"].item() == one.population
    assert one.table["low"].null_count() == one.table["high"].null_count() == 0


def test_cases_on_lists_left_out_are_unseen() -> None:
    table = {"A": [1, 1, 0, 1, 0], "B": [1, 0, 1, 1, 0], "C": [0, 1, 1, 1, 1], "n": [4, 9, 7, 2, 11]}
    est = zhol.estimate.lists(table, ["A", "B"], "n", interval="wald", opinions=False)
    assert est.population == pytest.approx((4 + 2 + 9) * (4 + 2 + 7) / 6)
    assert "11 cases are only on lists that were left out; they count as unseen" in est.warnings
