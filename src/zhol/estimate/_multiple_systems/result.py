"""The result of `zhol.estimate.lists`: second opinions are worked out when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import MappingProxyType
from typing import Any

import polars as pl

from zhol.core.result import Estimate

Looks = Callable[[], tuple[pl.DataFrame, tuple[str, ...]]]


class ListsEstimate(Estimate):
    """An estimate from several lists, with the other models' answers beside it.

    ``table`` and those ``warnings`` that depend on it need several more fits (a second or two on six lists). They are
    worked out once, when they are first asked for, from the same counts and seed; so it makes no difference when.
    """

    _look: Looks

    @classmethod
    def build(cls, look: Looks, **fields: Any) -> ListsEstimate:
        """Result whose table and warnings come from ``look`` on first use."""
        made = cls(table=pl.DataFrame(), **{**fields, "details": MappingProxyType(fields["details"])})
        for name in ("table", "warnings"):
            del made.__dict__[name]
        made.__dict__["_look"] = look
        return made

    @cached_property
    def table(self) -> pl.DataFrame:  # type: ignore[override]
        """One row a model: its population, interval, formula, information criteria."""
        return self._looked[0]

    @cached_property
    def warnings(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the reader must know before using the number."""
        return self._looked[1]

    @cached_property
    def _looked(self) -> tuple[pl.DataFrame, tuple[str, ...]]:
        return self._look()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "details": dict(self.details)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "details": MappingProxyType(state["details"])})

    def __repr__(self) -> str:
        return f"<{self.title}: {self.population:,.0f} {self.unit}, {self.low:,.0f} to {self.high:,.0f}>"

    def _plot_rows(self) -> pl.DataFrame:
        rows = self.table.filter(pl.col("population").is_not_null())
        finite = [
            pl.when(pl.col(c).is_finite()).then(pl.col(c)).alias(n)
            for c, n in (("population", "value"), ("low", "low"), ("high", "high"))
        ]
        return rows.select(pl.col("model").alias("label"), *finite)
