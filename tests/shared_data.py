"""Where tests find data and reference cases that are not part of the project."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZHOL_SHARED", ROOT.parent / "shared"))


def shared(*parts: str) -> Path:
    """Path below the shared folder; without it the test skips, and in CI it fails."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        reason = f"shared data not found: {'/'.join(parts)} (set ZHOL_SHARED)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
