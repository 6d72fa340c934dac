"""Comparisons that cannot be made: one clear line each, before anything is run."""

import pytest
from policy_runs import interior, model, visas

from zhol.core.errors import ZholError
from zhol.policy.comparison import compare
from zhol.policy.delays import delay
from zhol.policy.outcomes import all_outcomes, read_outcomes
from zhol.policy.targets import target


def line(error):
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scenarios": [visas()]}, "a comparison needs a base and at least one scenario"),
        ({"scenarios": visas()}, "a comparison needs a base and at least one scenario"),
        ({"draws": 1}, "a comparison needs draws: a number without its interval says too little"),
        ({"start": "2010-03"}, "scenarios are compared over whole years"),
        ({"start": "2013", "end": "2012"}, "the end lies before the start"),
        ({"outcomes": ["irregular_stok"]}, "unknown outcome; found 'irregular_stok'"),
        ({"outcomes": ["attempts"]}, "outcomes of control are not shown without outcomes of protection"),
        ({"outcomes": []}, "no outcome to compare on"),
        ({"acting": "XYZ"}, "unknown country; found 'XYZ'"),
        ({"level": 1.5}, "the level of an interval lies between 0 and 1; found 1.5"),
        ({"scenarios": [None, "visas.yaml"]}, "not a scenario; found 'str'"),
    ],
)
def test_compare(options, said):
    given = {"scenarios": [None, visas()], "start": "2010", "end": "2012", "draws": 16, **options}
    with pytest.raises(ZholError) as error:
        compare(given.pop("scenarios"), model(), **given)
    assert line(error).startswith(said)


def test_delay():
    for package, years, said in (
        (None, (0, 1), "only a scenario with measures can be delayed"),
        (interior(), (-1, 1), "a delay cannot be negative; found -1"),
        (interior(), (0, 9), "the package would begin after the window; found '9 years late'"),
    ):
        with pytest.raises(ZholError) as error:
            delay(package, years, model(), start="2010", end="2013", draws=16)
        assert line(error).startswith(said)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("irregular", {}, "unknown outcome; found 'irregular'"),
        ("attempts", {"package": None}, "the instruments that may be used come as a scenario"),
        ("attempts", {"probability": 0.0}, "a probability lies between 0 and 1; found 0.0"),
        ("attempts", {"year": 2010}, "no instrument of the package acts by then; found 'interior, 2010'"),
        ("attempts", {"costs": {"regularisation": 1.0}}, "costs must be given for all instruments or for none"),
        ("attempts", {"costs": dict.fromkeys(interior().instruments, -1.0)}, "a cost cannot be negative"),
    ],
)
def test_target(name, options, said):
    given = {"year": 2013, "package": interior(), "draws": 16, "start": "2010", **options}
    with pytest.raises(ZholError) as error:
        target(name, 1.0, given.pop("year"), given.pop("package"), model(), **given)
    assert line(error).startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((("  attempts:\n", "  non_refoulement:\n"),), "weights.yaml: a rights floor has no weight"),
        (
            (("    account: attempts\n", "    account: attempts\n    weight: 3\n"),),
            "weights.yaml: outcomes have no weights",
        ),
        ((("family: economy", "family: control"),), "weights.yaml: no family may be left out; found 'economy'"),
        ((("better: {people: less, control: less}", "better: {}"),), "weights.yaml, column outcomes"),
        ((("outcomes:", "outcome:"),), "weights.yaml: not a file of outcomes"),
        ((("tolerance: 0.000001", "tolerance: 0.5"),), "weights.yaml, column tolerance"),
    ],
)
def test_the_file_of_outcomes(change, said):
    from importlib import resources

    text = (resources.files("zhol") / "packs" / "shared" / "weights.yaml").read_text(encoding="utf-8")
    assert read_outcomes(text) == all_outcomes()
    for old, new in change:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(ZholError) as error:
        read_outcomes(text)
    assert line(error).startswith(said)
