"""Few draws of policies in briefs that are composed whole: their numbers are tested from runs made by hand."""

import pytest

from zhol.brief import policy_runs


@pytest.fixture(scope="session", autouse=True)
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy_runs, "DRAWS", 8)
        patch.setattr(policy_runs, "FEWER", 4)
        yield
