"""Maps of observations that cannot be right: one line each, with the file, the key, what was found and expected."""

import shutil
from pathlib import Path

import pytest

import zhol
from zhol.system.names import STATUSES
from zhol.system.observation_map import ACCOUNTS, observation_map
from zhol.system.observations import observations

WHOLE = Path(__file__).parent / "packs" / "whole"
GOOD = {
    "title": "People",
    "kind": "citizens",
    "table": "figures",
    "where": "{quantity: KAZ_irregular_stock}",
    "measure": "stock",
    "statuses": "{worker: 1}",
    "log_sd": "0.1",
}


def chart(**changes):
    lines = [f"    {key}: {value}\n" for key, value in {**GOOD, **changes}.items() if value is not None]
    return "series:\n  seen:\n" + "".join(lines)


def refusal(tmp_path, text):
    folder = Path(shutil.copytree(WHOLE, tmp_path / "pack"))
    (folder / "observations.yaml").write_text(text, encoding="utf-8")
    region = zhol.load(folder)
    with pytest.raises(zhol.ZholError) as caught:
        observation_map(region)
    return str(caught.value)


CASES = {
    "key of a series": (
        chart(colour="red"),
        "unknown key 'series.seen.colour'; expected one of title, kind, table, where, without, origin_column, "
        "destination_column, origin, destination, value, scale, at_least, add_rows, when, measure, statuses, accounts, "
        "log_sd, otherwise, df, bias, trend, overrides, event, note",
    ),
    "key of the file": (
        chart() + "serie: {}\n",
        "unknown key 'serie'; expected one of unit, status, series, left_out",
    ),
    "key of a bias": (
        chart(bias="{group: g, sd: 1, mean: 0}"),
        "unknown key 'series.seen.bias.mean'; expected one of group, sd, only",
    ),
    "missing key": (chart(title=None), "key 'series.seen.title' is missing"),
    "no series": ("unit: log points\n", "key 'series' is missing"),
    "negative error": (chart(log_sd="-1"), "key 'series.seen.log_sd' is wrong; found -1, expected greater than 0"),
    "measure": (
        chart(measure="stocks"),
        "key 'series.seen.measure' is wrong; found 'stocks', expected 'stock', 'flow' or 'remittances'",
    ),
    "status": (
        chart(statuses="{tourist: 1}"),
        f"unknown status at series.seen.statuses; found 'tourist', expected {', '.join(STATUSES)}",
    ),
    "weight": (
        chart(statuses="{worker: 2}"),
        "weight of worker at series.seen.statuses; found 2.0, expected 0 to 1, not 0",
    ),
    "account": (
        chart(measure="flow", statuses=None, accounts="[border]"),
        f"unknown account at series.seen.accounts; found 'border', expected {', '.join(ACCOUNTS)}",
    ),
    "stock of accounts": (
        chart(statuses=None, accounts="[returns]"),
        "series.seen measures a stock; found 'accounts', expected statuses and no accounts",
    ),
    "column": (
        chart(where="{colour: red}"),
        "unknown column at series.seen.where; found 'colour', expected figure_id, quantity, indicator, origin, "
        "destination, date_start, date_end, value, low, high, unit, definition, concept, method, grade, rounded, "
        "source_id, status, note",
    ),
    "figure": (
        chart(where="{figure_id: F9}"),
        "no row of the table has this figure_id at series.seen.where; found 'F9', expected F1",
    ),
    "place": (
        chart(destination="XYZ"),
        "unknown place at series.seen.destination; found 'XYZ', expected a code of places.csv",
    ),
    "braces": (
        chart(bias='{group: "a{year}", sd: 1}'),
        "unknown word in braces at series.seen.bias.group; found 'year', expected origin, destination, revision",
    ),
    "alias": ("a: &a 1\nseries: *a\n", "not valid YAML; aliases (*name) are not allowed"),
    "a list": ("- 1\n", "not a map of keys; found [1], expected valid dictionary or instance of _File"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line(tmp_path, case):
    text, line = CASES[case]
    assert refusal(tmp_path, text) == f"observations.yaml: {line}"


def test_unknown_table(tmp_path):
    line = refusal(tmp_path, chart(table="people"))
    assert line.startswith("observations.yaml: unknown table at series.seen.table; found 'people', expected places")


def test_broken_yaml_names_its_row(tmp_path):
    line = refusal(tmp_path, "series:\n  seen: {title: a\n")
    assert line.startswith("observations.yaml, row 3: not valid YAML; ")


@pytest.mark.parametrize("month", ["2014", "2014-13", "December"])
def test_month(month):
    with pytest.raises(zhol.ZholError, match=r"^not a month; found .*, expected YYYY-MM such as 2014-12$"):
        observations(zhol.load(WHOLE), [], [], until=month)
