"""One small model and its scenarios, shared by the tests of comparisons, so that it is compiled once."""

from functools import cache

import random_packs
from system_runs import quick_compilation

WINDOW = {"start": "2010", "end": "2013"}


@cache
def model():
    return random_packs.model(random_packs.whole())


def scenario(name, *measures):
    from zhol.policy import Scenario

    rows = [{"from": "2011-01", "actor": "KAZ", "ramp_months": 0, **m} for m in measures]
    return Scenario(name, measures=rows)


@cache
def visas():
    return scenario("visas", {"instrument": "visa_requirement", "partner": "KGZ"})


@cache
def interior():
    return scenario("interior", {"instrument": "employer_liability"}, {"instrument": "interior_task_forces"},
                    {"instrument": "regularisation"})  # fmt: skip


@cache
def unlawful():
    return scenario("unlawful", {"instrument": "asylum_restriction"}, {"instrument": "worker_detention"})


@cache
def comparison():
    from zhol.policy.comparison import compare

    with quick_compilation():
        return compare([None, visas(), interior(), unlawful()], model(), draws=16, **WINDOW)
