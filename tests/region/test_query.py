"""SQL over a pack: it answers questions about the tables and can do nothing else."""

from pathlib import Path

import pytest

import zhol

WHOLE = Path(__file__).parents[1] / "broken" / "packs" / "whole"


@pytest.fixture(scope="module")
def region():
    return zhol.load(WHOLE)


def test_sums_of_persons_are_whole_numbers(region):
    answer = region.sql("select destination, sum(persons) as persons from stocks where year = 2020 group by 1")
    assert answer.to_dicts() == [{"destination": "KAZ", "persons": 230}]


def test_joins_windows_and_common_tables(region):
    query = """with totals as (select destination as place, sum(persons) as n from stocks group by 1)
        select p.name, n, rank() over (order by n) as rank from totals join places p using (place);"""
    assert region.sql(query).rows() == [("Kazakhstan", 330, 1)]


def test_every_table_can_be_described(region):
    assert region.sql("describe stocks")["column_name"].to_list() == region.table("stocks").columns


@pytest.mark.parametrize(
    "query",
    [
        "drop view stocks",
        "create table mine as select 1",
        "insert into stocks select * from stocks",
        "update stocks set persons = 0",
        "delete from stocks",
        "copy stocks to '{file}'",
        "copy (select 1) to '{file}' (format parquet)",
        "export database '{file}'",
        "attach '{file}'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "pragma database_list",
        "select 1; select 2",
        "",
        "-- nothing",
    ],
)
def test_anything_but_one_select_is_refused(region, query, tmp_path):
    file = tmp_path / "written"
    with pytest.raises(zhol.ZholError, match=r"^only one SELECT can be asked; found '.*'; the tables"):
        region.sql(query.format(file=file))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query",
    [
        "select * from '{file}'",
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from glob('/*')",
        "select * from 'https://example.org/a.csv'",
        "select * from read_csv('https://example.org/a.csv')",
        "select getenv('HOME')",
        "select * from region",
        "select * from query_table('WHOLE')",
    ],
)
def test_no_file_no_network_no_variable_of_the_caller(region, query, tmp_path):
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    with pytest.raises(zhol.ZholError, match=r"^query cannot be answered; "):
        region.sql(query.format(file=file))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("selec", "syntax error"),
        ("select * from stoks", 'Table with name stoks does not exist! Did you mean "stocks"?'),
        ("select person from stocks", "persons"),
        ("select cast('x' as integer)", "Could not convert string"),
        ("select 1/0 + 'a'", "query cannot be answered"),
        ("select persons, persons from stocks", "two columns of the answer share a name; found 'persons'"),
        ("select s1.year from stocks s1, range(1000000) r", "answer is too long"),
    ],
)
def test_a_bad_question_gets_one_line(region, query, words):
    with pytest.raises(zhol.ZholError) as raised:
        region.sql(query)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("query", [None, 1, b"select 1"])
def test_a_question_is_text(region, query):
    with pytest.raises(zhol.ZholError, match=r"^query is not text"):
        region.sql(query)


def test_one_question_leaves_no_trace_for_the_next(region):
    with pytest.raises(zhol.ZholError):
        region.sql("create table mine as select 1 as n")
    with pytest.raises(zhol.ZholError, match="mine"):
        region.sql("select * from mine")
