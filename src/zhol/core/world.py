"""Country shapes of Natural Earth, projected for a map of one part of the world.

The shapes are de facto boundaries as Natural Earth draws them; whoever shows them says that no endorsement is meant.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

BOUNDARY_NOTE = "Boundaries as drawn by Natural Earth; showing them is no endorsement."
_FILE = Path(__file__).resolve().parents[1] / "assets" / "world" / "countries-50m.json"
_EARTH = 6371.0  # mean radius, km
_NEAR = np.cos(np.radians(60))  # a ring with no point nearer than this to the centre is not drawn


class Frame(NamedTuple):
    """A window on the world: Lambert azimuthal equal-area about a centre, edges in km from it, width in px."""

    lon: float
    lat: float
    west: float
    east: float
    south: float
    north: float
    width: float

    @property
    def height(self) -> float:
        """Height of the map in px."""
        return self.width * (self.north - self.south) / (self.east - self.west)

    def place(self, lon: np.ndarray | float, lat: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Pixel position (x to the right, y down) of points given in degrees.

        Examples
        --------
        >>> x, y = Frame(68, 45, -5000, 5000, -3000, 3000, 1000).place(68, 45)
        >>> float(x), float(y)
        (500.0, 300.0)
        """
        x, y, _ = self.plane(np.asarray(lon, float), np.asarray(lat, float))
        scale = self.width / (self.east - self.west)
        return (x - self.west) * scale, (self.north - y) * scale

    def plane(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Kilometres east and north of the centre, and the cosine of the angle from it (Snyder 1987, p. 185).

        Examples
        --------
        >>> east, north, cosine = Frame(0, 0, -1, 1, -1, 1, 2).plane(np.array([90.0]), np.array([0.0]))
        >>> round(float(east[0])), round(float(north[0]))  # a quarter of the globe: radius times the root of two
        (9010, 0)
        """
        turn, phi, centre = np.radians(lon - self.lon), np.radians(lat), np.radians(self.lat)
        cosine = np.sin(centre) * np.sin(phi) + np.cos(centre) * np.cos(phi) * np.cos(turn)
        stretch = _EARTH * np.sqrt(2 / np.maximum(1 + cosine, 1e-6))
        x = stretch * np.cos(phi) * np.sin(turn)
        y = stretch * (np.cos(centre) * np.sin(phi) - np.sin(centre) * np.cos(phi) * np.cos(turn))
        return x, y, cosine


class Country(NamedTuple):
    """One shape: M49 number as text of three digits ('' where Natural Earth has none) and its rings in pixels."""

    m49: str
    name: str
    rings: tuple[list[list[float]], ...]


@cache
def shapes(frame: Frame, detail: float = 0.6) -> tuple[Country, ...]:
    """Every country that the frame shows, cut at its edges, with points nearer than ``detail`` px left out.

    Borders are thinned once for both neighbours, so no gaps open between them.

    Examples
    --------
    >>> found = {c.m49 for c in shapes(Frame(68, 45, -5000, 5000, -3000, 3000, 700))}
    >>> "398" in found, "032" in found  # Kazakhstan, Argentina
    (True, False)
    """
    topology = _topology()
    arcs = [_thin(frame, arc, detail) for arc in topology.arcs]
    found = []
    for m49, name, polygons in topology.countries:
        rings = []
        for ring in polygons:
            points, near = _stitch(arcs, ring)
            cut = _cut(points, frame.width, frame.height) if near else points[:0]
            if len(cut) > 3:
                rings.append(np.round(cut, 1).tolist())
        if rings:
            found.append(Country(m49, name, tuple(rings)))
    return tuple(found)


class _Topology(NamedTuple):
    arcs: list[np.ndarray]
    countries: list[tuple[str, str, list[list[int]]]]


@cache
def _topology() -> _Topology:
    raw = json.loads(_FILE.read_text("utf-8"))
    scale, shift = np.array(raw["transform"]["scale"]), np.array(raw["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in raw["arcs"]]
    countries = []
    for shape in raw["objects"]["countries"]["geometries"]:
        parts = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        rings = [ring for polygon in parts for ring in polygon]
        countries.append((shape.get("id") or "", shape["properties"]["name"], rings))
    return _Topology(arcs, countries)


def _thin(frame: Frame, arc: np.ndarray, detail: float) -> tuple[np.ndarray, bool]:
    """An arc in pixels without points that stand closer than ``detail`` to the one before; ends stay."""
    _, _, cosine = frame.plane(arc[:, 0], arc[:, 1])
    near = bool((cosine > _NEAR).any())
    points = np.column_stack(frame.place(arc[:, 0], arc[:, 1]))
    if not near or len(points) < 3:
        return points, near
    kept = [0]
    for i in range(1, len(points) - 1):
        dx, dy = points[i] - points[kept[-1]]
        if dx * dx + dy * dy >= detail * detail:
            kept.append(i)
    return points[[*kept, len(points) - 1]], near


def _stitch(arcs: list[tuple[np.ndarray, bool]], ring: list[int]) -> tuple[np.ndarray, bool]:
    """Points of a ring; a negative index means the arc backwards (TopoJSON)."""
    pieces = [arcs[i][0] if i >= 0 else arcs[~i][0][::-1] for i in ring]
    near = any(arcs[i if i >= 0 else ~i][1] for i in ring)
    return np.concatenate([pieces[0], *[p[1:] for p in pieces[1:]]]), near


def _cut(points: np.ndarray, width: float, height: float) -> np.ndarray:
    """A ring cut at the edges of the frame (Sutherland and Hodgman 1974)."""
    for axis, edge, sign in ((0, 0.0, 1), (0, width, -1), (1, 0.0, 1), (1, height, -1)):
        if not len(points):
            break
        side = (points[:, axis] - edge) * sign
        if (side >= 0).all():
            continue
        points = _cut_one(points, side)
    return points


def _cut_one(points: np.ndarray, side: np.ndarray) -> np.ndarray:
    kept = []
    for i in range(len(points)):
        a, b = points[i - 1], points[i]
        before, now = side[i - 1], side[i]
        if (before >= 0) != (now >= 0):
            kept.append(a + (b - a) * (before / (before - now)))
        if now >= 0:
            kept.append(b)
    if not kept:
        return points[:0]
    ring = np.array(kept)
    return ring if np.array_equal(ring[0], ring[-1]) else np.vstack([ring, ring[:1]])
