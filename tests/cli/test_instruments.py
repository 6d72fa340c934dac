"""`zhol instruments`: lists and shows, for people and programs."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from zhol.cli.instruments import app
from zhol.core.errors import ZholError
from zhol.policy.instruments import effects_table, instrument, instruments


def call(*arguments):
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_list_names_every_instrument():
    rows = json.loads(call("list", "--json"))
    assert [row["instrument"] for row in rows] == list(instruments())


@pytest.mark.parametrize(("option", "name"), [("--packages", "cooperate"), ("--history", "crackdown_russia_2024")])
def test_list_of_packages_and_history(option, name):
    assert name in call("list", option, "--csv")


def test_show_says_what_matters():
    text = call("show", "border_barriers")
    first = effects_table(instrument("border_barriers"))["median"][0]
    assert (1 - 0.27) ** 0.5 < first < 1  # half the weight lies on each of the rival results
    words = ["Physical border control", f"{first:.3f}", "E013, E016", "at risk above intensity 0.7", "Caveat: Rival"]
    for said in [*words, "Public cost: 2,300,000,000 USD for 548 miles of wall (E016).", "Feigenberg"]:
        assert said in text


def test_show_for_programs():
    assert json.loads(call("show", "patents", "--json"))["id"] == "patents"
    rows = list(csv.DictReader(io.StringIO(call("show", "carrier_sanctions", "--csv"))))
    assert {row["rests_on"] for row in rows} == {"no evidence: wide prior"}
    assert all(float(r["low"]) < 1 < float(r["high"]) for r in rows)


def test_mistakes_get_one_line():
    with pytest.raises(ZholError, match="unknown instrument; found 'patent'; did you mean 'patents'"):
        call("show", "patent")
    with pytest.raises(ZholError, match="choose one of --packages and --history"):
        call("list", "--packages", "--history")
