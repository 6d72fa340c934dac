"""Small counts are withheld, and a second one with them where a total would give the first away."""

from __future__ import annotations

from collections.abc import Sequence

from zhol.brief.quantities import SMALLEST_CELL

WITHHELD = "withheld"


def protect(counts: Sequence[int | None]) -> list[int | str | None]:
    """Counts of one column that stands above its total; at most what is safe is kept as a number.

    A count below the smallest cell stays a number here (it is printed as "fewer than"); if it is the only one in its
    column, the next smallest count is withheld, because the total minus the rest would give it away.

    Examples
    --------
    >>> protect([5, 40, 300])
    [5, 'withheld', 300]
    >>> protect([5, 7, 300]), protect([50, 40])
    ([5, 7, 300], [50, 40])
    """
    small = [i for i, count in enumerate(counts) if count is not None and count < SMALLEST_CELL]
    shown: list[int | str | None] = list(counts)
    if len(small) == 1:
        rest = [(count, i) for i, count in enumerate(counts) if count is not None and i not in small]
        if rest:
            shown[min(rest)[1]] = WITHHELD
    return shown
