"""The page on instruments says what the files say."""

from pathlib import Path

import pytest

from zhol.policy.instruments import effects_table, instruments
from zhol.policy.ready_made import history, packages
from zhol.policy.rights import floors

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "instruments.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("one", instruments().values(), ids=lambda one: one.id)
def test_every_instrument_stands_with_its_numbers(one):
    line = next(text for text in PAGE.splitlines() if text.startswith(f"| `{one.id}` |"))
    for row in effects_table(one).to_dicts():
        assert f"{row['lever']} {row['median']:.2f} ({row['low']:.2f}–{row['high']:.2f})" in line
    for cited in one.evidence:
        assert cited.use != "effect" or cited.id in line


def test_packages_history_and_floors_stand_there():
    for name in [*packages()["package"], *history(), *(f.id for f in floors().floors)]:
        assert f"| `{name}` |" in PAGE
