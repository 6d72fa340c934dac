"""Frontiers and sensitivities that cannot be made: one clear line each, before anything is run."""

import pytest
from policy_runs import interior, model, scenario, unlawful

from zhol.core import jobs
from zhol.core.errors import ZholError
from zhol.policy.global_sensitivity import sensitivity
from zhol.policy.information_value import value_of_information
from zhol.policy.tradeoff_frontier import frontier

WINDOW = {"start": "2010", "end": "2013"}


def line(error):
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"instruments": []}, "there is nothing to choose from"),
        (
            {"instruments": "regularization"},
            "neither an instrument nor a package; found 'regularization'; did you mean",
        ),
        ({"instruments": [3]}, "not an option; found 'int'"),
        ({"instruments": [interior(), interior()]}, "two options of one name; found 'employer_liability'"),
        ({"objectives": ["exposure"]}, "a trade-off needs two objectives or more; found 'exposure'"),
        ({"objectives": ["removals", "exposure"]}, "people and control want opposite things of it: no objective"),
        ({"objectives": ["irregular_stock", "attempts"]}, "outcomes of control are not shown without outcomes of"),
        ({"objectives": ["irregular_stok", "exposure"]}, "unknown outcome; found 'irregular_stok'"),
        ({"budget": 0.0}, "a budget is above zero; found 0.0"),
        ({"budget": float("nan")}, "a budget is above zero"),
        ({"costs": {"regularisation": 1.0}}, "costs are given for all options or for none; found 'none for employer"),
        ({"costs": {**dict.fromkeys(interior().instruments, 1.0), "visas": 1.0}}, "a cost of no option; found 'visas'"),
        ({"costs": {**dict.fromkeys(interior().instruments, 1.0), "regularisation": -2.0}}, "a cost is a number of at"),
        ({"delays": ()}, "delays are whole years, each once"),
        ({"delays": (0, 0)}, "delays are whole years, each once"),
        ({"delays": (0, 9)}, "employer_liability would begin after the end; found '9 years late, end 2013-12'"),
        ({"step": 0.3}, "a step of strengths divides 1; found 0.3"),
        ({"quantile": 1.0}, "a quantile lies between 0 and 1; found 1.0"),
        ({"level": 0.0}, "the level of an interval lies between 0 and 1; found 0.0"),
        ({"draws": 1}, "a frontier needs draws"),
        ({"points": 1}, "too few points; found 1"),
        ({"population": 1}, "too few population; found 1"),
        ({"runs": 100}, "too few runs for every option to be tried; found 100, expected 112 or more"),
        ({"acting": "XYZ"}, "unknown country; found 'XYZ'"),
    ],
)
def test_frontier(options, said):
    given = {"instruments": interior(), "draws": 16, "delays": (0,), "runs": 200, **WINDOW, **options}
    with pytest.raises(ZholError) as error:
        frontier(given.pop("instruments"), model(), **given)
    assert line(error).startswith(said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scale": "square"}, "unknown scale of the outcome; found 'square'"),
        ({"method": "fast"}, "unknown method of sensitivity; found 'fast'"),
        ({"outcome": "irregular"}, "unknown outcome; found 'irregular'"),
        ({"start": "2010-03"}, "the window is made of whole years"),
        ({"scenario": "visas"}, "not a scenario; found 'str'"),
    ],
)
def test_sensitivity(options, said):
    with pytest.raises(ZholError) as error:
        sensitivity(region_or_model=model(), **{"runs": 300, **WINDOW, **options})
    assert line(error).startswith(said)


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ([interior()], {}, "a choice needs two scenarios or more; found 1"),
        ([None, interior()], {"rule": "hope"}, "unknown rule of choice; found 'hope'"),
        ([None, interior()], {"outcome": "removals"}, "people and control want opposite things of this outcome"),
    ],
)
def test_value_of_information(given, options, said):
    with pytest.raises(ZholError) as error:
        value_of_information(given, model(), draws=60, **WINDOW, **options)
    assert line(error).startswith(said)


def test_a_cluster_without_dask(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ZholError, match=r"^a cluster needs Dask, which is not installed; pip install distributed$"):
        jobs.run(abs, [1], cluster="tcp://127.0.0.1:1")


def test_options_that_meet_only_when_one_is_late_are_kept_apart():
    from zhol.policy._frontier.options import options_of, space_of

    first = scenario("first", {"instrument": "visa_requirement", "partner": "KGZ", "from": "2011-01", "to": "2011-12"})
    then = scenario("then", {"instrument": "free_movement", "partner": "KGZ", "from": "2012-02"})
    own = options_of([first, then], None, None, "central_asia")
    months = [f"{y}-{m:02d}" for y in range(2010, 2015) for m in range(1, 13)]
    assert space_of(own, (0,), months, None, None).apart == ()
    assert space_of(own, (0, 1), months, None, None).apart == ((0, 1),)


def test_a_mix_that_is_wholly_unlawful_leaves_present_policies():
    hard = unlawful().only("asylum_restriction")
    found = frontier(hard, model(), objectives=("irregular_stock", "exposure"), delays=(0,), step=1.0, runs=64, draws=8,
                     points=5, **WINDOW)  # fmt: skip
    assert found.table.height == 1 and found.table["asylum_restriction"][0] == 0.0 and found.knees.is_empty()
    assert "No knee" in found.summary() and found.words(1).startswith("Point 1: present policies, nothing more")
    with pytest.raises(ZholError, match=r"^no such point of the frontier; found 2, expected 1 to 1$"):
        found.scenario(2)
