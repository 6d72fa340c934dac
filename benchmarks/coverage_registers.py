"""Coverage of ``registers`` and ``multiplier``: simulated registers, 500 each, where the model holds and where not.

Run: python benchmarks/coverage_registers.py [repetitions]
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zhol.core.draws import generator
from zhol.estimate import multiplier, registers

ALPHA, BETA, GAMMA = 0.7, 0.6, 0.005


@dataclass(frozen=True)
class Design:
    """Countries of log-normal size over some years; m is Poisson with frailty by row and by country."""

    name: str
    countries: int = 150
    years: int = 1
    row: float = 0.0  # variance of the frailty of a row: 1/theta of the negative binomial
    country: float = 0.0  # sd of the log frailty of a country
    spread: float = 1.8  # sd of log size
    model: str = "poisson"
    options: dict[str, Any] = field(default_factory=dict)
    holds: bool = True


BOOT = {"interval": "bootstrap", "replicates": 200}
DESIGNS = [
    Design("Poisson, offset known", options={"gamma": GAMMA}),
    Design("Poisson, offset estimated"),
    Design("Poisson, 60 countries, offset estimated", countries=60),
    Design("Poisson, offset estimated, bootstrap", options=BOOT),
    Design("overdispersed (θ = 1), Poisson fit, HC3, 300 countries", row=1.0, countries=300,
           options={"gamma": GAMMA}, holds=False),
    Design("negative binomial, θ = 1, offset known", row=1.0, model="negbin", options={"gamma": GAMMA}),
    Design("negative binomial, θ = 1, offset estimated, 300 countries", row=1.0, model="negbin", countries=300),
    Design("negative binomial, θ = 1, bootstrap, 300 countries", row=1.0, model="negbin", countries=300, options=BOOT),
    Design("country effects, negbin, jackknife by country", years=5, country=0.4, row=0.5, model="negbin",
           options={"cluster": "country"}),
    Design("country effects, negbin, bootstrap by country", years=5, country=0.4, row=0.5, model="negbin",
           options={"cluster": "country", **BOOT}),
    Design("country effects, negbin, rows as independent", years=5, country=0.4, row=0.5, model="negbin", holds=False),
    Design("country effects, Poisson, jackknife by country", years=5, country=0.4, options={"cluster": "country"},
           holds=False),
    Design("country effects, Poisson, rows as independent", years=5, country=0.4, holds=False),
    Design("a few giants, country effects, Poisson, jackknife", years=5, country=0.4, spread=2.5,
           options={"cluster": "country"}, holds=False),
]  # fmt: skip


def simulate(design: Design, rng: np.random.Generator) -> tuple[dict[str, Any], float]:
    """One set of registers, sizes drawn anew each time, and the true total."""
    size = np.exp(rng.normal(5.5, design.spread, design.countries))
    size = np.maximum(
        1, (np.repeat(size, design.years) * np.exp(rng.normal(0, 0.2, design.countries * design.years))).round()
    )
    met = np.minimum(size, rng.poisson(size * np.repeat(np.exp(rng.normal(-4, 1, design.countries)), design.years)))
    mean = size**ALPHA * (GAMMA + met / size) ** BETA
    mean *= np.repeat(np.exp(rng.normal(-(design.country**2) / 2, design.country, design.countries)), design.years)
    if design.row:
        mean = mean * rng.gamma(1 / design.row, design.row, len(size))
    data = {
        "country": np.repeat(np.arange(design.countries), design.years).astype(str).tolist(),
        "m": rng.poisson(mean),
        "n": met.astype(int),
        "N": size.astype(int),
    }
    return data, float((size**ALPHA).sum())


def run(design: Design, repetitions: int) -> None:
    rng, hits, ratio, width, open_ = generator(7, "coverage", design.name), 0, [], [], 0
    begin = time.perf_counter()
    for _ in range(repetitions):
        data, truth = simulate(design, rng)
        est = registers(data, model=design.model, **design.options)
        hits += est.low <= truth <= est.high
        open_ += bool(np.isinf(est.high))
        ratio.append(est.population / truth)
        width.append(est.high / max(est.low, 1e-9))
    spent = time.perf_counter() - begin
    print(
        f"| {design.name} | {'yes' if design.holds else 'no'} | {hits / repetitions:.1%} | {np.median(ratio):.2f} | "
        f"{np.median(width):.2f} | {open_} | {spent:.0f} |",
        flush=True,
    )


def surveys(repetitions: int) -> None:
    """Multiplier method: a service reaches a share of 8,000, a survey asks 300 of them."""
    for share, effect in ((0.3, 1.0), (0.05, 1.0), (0.3, 2.0)):
        rng, hits = generator(7, "coverage", f"multiplier {share} {effect}"), 0
        for _ in range(repetitions):
            yes = effect * rng.binomial(int(300 / effect), share)
            if yes == 0:
                hits += 1  # refused: nobody in the survey was in the count
                continue
            asked = {"yes": float(yes), "of": 300, "design_effect": effect}
            est = multiplier(int(rng.binomial(8000, share)), asked, draws=2000)
            hits += est.low <= 8000 <= est.high
        print(
            f"| multiplier, share {share}, design effect {effect:g} | yes | {hits / repetitions:.1%} | | | | |",
            flush=True,
        )


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"95 % intervals, {repetitions} repetitions each\n")
    print("| design | model holds | covers | median estimate / truth | median high / low | no upper end | s |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for design in DESIGNS:
        run(design, repetitions)
    surveys(repetitions)


if __name__ == "__main__":
    main()
