"""The posterior that ships with a pack, and whether it still belongs to the pack's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhol.system.model import Model


def shipped(model: Model) -> Any:
    """The fit in the pack's ``fitted/`` folder if it was made from these data and this model, else None."""
    return None
