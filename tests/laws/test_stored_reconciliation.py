"""A stored posterior is used only while it was made from the same figures, definitions and priors."""

import json
import shutil

import pytest

import zhol
from zhol.estimate import stored_reconciliation as stored
from zhol.estimate.reconciliation import Reconciliation

REGION = zhol.load("central_asia")


@pytest.mark.parametrize("quantity", ["KZ_irregular_stock", "RU_central_asian_workers"])
def test_the_shipped_posterior_is_of_the_shipped_figures(quantity):
    kept = json.loads(stored._path(REGION, quantity).read_text(encoding="utf-8"))
    assert kept["made_from"] == stored.fingerprint(REGION, quantity), (
        "make it again: zhol.estimate.stored_reconciliation.store(region, quantity)"
    )
    assert kept["details"]["r_hat"] <= 1.01
    post = stored.reconciled(REGION, quantity)
    assert isinstance(post, Reconciliation)
    assert post.low < post.population < post.high
    assert (post.table["low"] <= post.table["population"]).all() and (
        post.table["population"] <= post.table["high"]
    ).all()


def test_a_changed_figure_makes_the_stored_posterior_unusable(tmp_path, monkeypatch):
    folder = tmp_path / "central_asia"
    shutil.copytree(REGION.path, folder)
    figures = folder / "figures.csv"
    text = figures.read_text(encoding="utf-8")
    assert text.count(",164586,") == 1
    figures.write_text(text.replace(",164586,", ",164587,"), encoding="utf-8")
    changed = zhol.load(folder)
    asked = []
    monkeypatch.setattr(stored, "reconcile", lambda region, quantity: asked.append(quantity))
    stored.reconciled(changed, "KZ_irregular_stock")
    stored.reconciled(changed, "RU_central_asian_workers")
    assert asked == ["KZ_irregular_stock"]
