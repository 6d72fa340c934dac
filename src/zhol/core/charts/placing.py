"""Where labels go so that they cover neither each other nor the edge."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """A label to place: its anchor and its size, px."""

    x: float
    y: float
    wide: float
    tall: float


def place_labels(boxes: list[Box], width: float, height: float) -> list[tuple[float, float]]:
    """Centres of the labels, earlier ones having the choice.

    Each label tries above, below, right, left and the corners of its anchor, then farther out; it takes the first free
    place, or the one that covers least.

    Examples
    --------
    >>> place_labels([Box(50, 50, 40, 12), Box(50, 50, 40, 12)], 100, 100)
    [(50, 40.0), (50, 60.0)]
    """
    taken: list[tuple[float, float, float, float]] = []
    centres = []
    for box in boxes:
        best, least = (box.x, box.y), float("inf")
        for x, y in _candidates(box):
            x = min(max(x, box.wide / 2 + 1), width - box.wide / 2 - 1)
            y = min(max(y, box.tall / 2), height - box.tall / 2)
            edges = (x - box.wide / 2, y - box.tall / 2, x + box.wide / 2, y + box.tall / 2)
            cover = sum(_overlap(edges, other) for other in taken)
            if cover < least:
                best, least, chosen = (x, y), cover, edges
            if cover == 0:
                break
        centres.append(best)
        taken.append(chosen)
    return centres


def _candidates(box: Box) -> list[tuple[float, float]]:
    found = []
    for away in (4.0, 9.0, 16.0, 26.0):
        dx, dy = box.wide / 2 + away, box.tall / 2 + away
        sides = [(0, -dy), (0, dy), (dx, 0), (-dx, 0), (dx, -dy), (dx, dy), (-dx, -dy), (-dx, dy)]
        found += [(box.x + x, box.y + y) for x, y in sides]
    return found


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    return wide * tall if wide > 0 and tall > 0 else 0.0
