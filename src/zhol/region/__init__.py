"""Holds it: region packs, validated on load, each row with its source.

A pack is loaded with `zhol.load`; the room's own files are imported by name (`zhol.region.schema`, ...).

Examples
--------
>>> from zhol.region import Region
>>> Region.__name__
'Region'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhol.region.load import Region

# Not `load`: a module and a function of one name would shadow each other here.
__all__ = ["Region"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from zhol.region.load import Region

        return Region
    raise AttributeError(f"module 'zhol.region' has no attribute {name!r}; it has {', '.join(__all__)}")
