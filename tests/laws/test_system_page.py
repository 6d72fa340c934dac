"""The page on the system shows the parameters as they are, and names every status, channel and account."""

from pathlib import Path

from zhol.system.names import CHANNELS, FLOWS, STATUSES
from zhol.system.parameters import parameter_table

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "the-system.md").read_text(encoding="utf-8")


def row(p):
    """One parameter as a row of the table."""
    medians = ", ".join(f"{m:g}" for m in p.median)
    scale = p.scale if p.scale != "logit" or p.upper == 1 else f"logit to {p.upper:g}"
    basis = p.basis + (": " + ", ".join(p.evidence) if p.evidence else "")
    width = f"{p.sd:g}" if p.sd else "fixed"
    return f"| `{p.name}` | {p.shape.replace('_', ' ')} | {scale} | {medians} | {width} | {basis} | {p.meaning} |"


def test_the_table_of_parameters_is_the_file():
    shown = PAGE.split("<!-- parameters -->")[1].split("<!-- end of parameters -->")[0].strip().splitlines()[2:]
    assert shown == [row(p) for p in parameter_table().values()]


def test_every_status_channel_and_account_is_named():
    for name in (*STATUSES, *CHANNELS, *FLOWS):
        assert f"`{name}`" in PAGE, name
