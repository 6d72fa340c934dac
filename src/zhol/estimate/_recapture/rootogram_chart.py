"""The rootogram as a chart: observed bars hang from the fitted curve, so that misfit shows at the zero line."""

from __future__ import annotations

from typing import Any

import polars as pl


def chart(rows: pl.DataFrame, title: str) -> Any:
    """Hanging rootogram of a table with count, root_observed and root_fitted."""
    import altair as alt

    data = rows.with_columns(bottom=pl.col("root_fitted") - pl.col("root_observed"))
    base = alt.Chart(alt.Data(values=data.to_dicts())).encode(
        x=alt.X("count:O", title="captures", axis=alt.Axis(labelAngle=0))
    )
    bars = base.mark_bar(color="#9fb8cf").encode(
        y=alt.Y("bottom:Q", title="square root of the number of units"), y2="root_fitted:Q"
    )
    curve = base.mark_line(color="#b2401e", point=True).encode(y="root_fitted:Q")
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color="#444").encode(y="zero:Q")
    return alt.layer(bars, curve, zero).properties(title=f"Rootogram: {title}", width=420, height=260)
