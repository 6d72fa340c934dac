"""Reconcile rival figures of one quantity into one posterior that says how far each source is off.

A Bayesian measurement model: a latent stock for every year, definitions that stand in a stated relation to it, a bias
for every source and an error for every grade, with heavy tails. It follows the tradition of hierarchical models for
migration data of unlike quality: Raymer, Wiśniowski, Forster, Smith & Bijak (2013), Integrated modeling of European
migration, Journal of the American Statistical Association 108(503):801-819.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import yaml

from zhol.core.errors import ZholError
from zhol.core.frames import to_polars
from zhol.core.result import Estimate
from zhol.estimate.measurement import Observations, Relation, observe, relation, scales

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region

CITES = (
    "Raymer, Wiśniowski, Forster, Smith & Bijak (2013), Integrated modeling of European migration, JASA 108:801-819",
)
_DEFINITION_KEYS = {"title", "unit", "units", "target", "institution", "figures", "parts", "relations", "note"}


@dataclass(frozen=True)
class Reconciliation(Estimate):
    """A reconciled stock.

    ``population``, ``low`` and ``high`` are the posterior median and interval of the year asked for; ``table`` has one
    row a year. Further:

    Parameters
    ----------
    figures : polars.DataFrame
        One row a figure: what it says, and by which factor it is off the reconciled stock of its year (above one: too
        high), in total and beyond what its definition explains.
    sources : polars.DataFrame
        One row a source: factor of its own bias with interval, and the probability that it is too high.
    next_figure : polars.DataFrame
        What one new figure of the target, from a new source of each grade or from a source again, would take off the
        width of the interval (expected share of the log width).
    sensitivity : polars.DataFrame
        The answer with all prior scales halved and doubled.
    draws : ndarray, shape (draw, year)
        Posterior draws of the stock.
    """

    figures: pl.DataFrame = field(default_factory=pl.DataFrame)
    sources: pl.DataFrame = field(default_factory=pl.DataFrame)
    next_figure: pl.DataFrame = field(default_factory=pl.DataFrame)
    sensitivity: pl.DataFrame = field(default_factory=pl.DataFrame)
    draws: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        from zhol.core.result import json_ready

        extra = {name: json_ready(getattr(self, name)) for name in ("figures", "sources", "next_figure", "sensitivity")}
        return {**super().to_dict(), **extra}

    def plot(self) -> alt.Chart | alt.LayerChart:
        """The rival figures as published, and the reconciled stock of the year below them."""
        from zhol.core import charts

        rows = self.figures.select(
            label=pl.col("year").cast(pl.String) + ": " + pl.col("definition"), value="value", low="low", high="high"
        )
        year = self.details["year"]
        own = pl.DataFrame(
            {
                "label": [f"{year}: reconciled"],
                "value": [self.population],
                "low": [self.low],
                "high": [self.high],
            }
        )
        return charts.interval(pl.concat([rows, own], how="vertical_relaxed"), unit=self.unit, title=self.title)


@dataclass(frozen=True)
class _Definition:
    """One quantity as a pack defines it: which figures, which parts, how definitions relate."""

    title: str
    unit: str
    target: str
    figures: dict[str, list[str]]
    parts: dict[str, tuple[str, ...]]
    relations: dict[str, Relation]
    units: tuple[str, ...]
    institution: str = "source_id"
    note: str = ""


def reconcile(
    figures: Any,
    quantity: str,
    *,
    year: int | None = None,
    relations: dict[str, Any] | None = None,
    source: str | None = None,
    level: float = 0.95,
    draws: int = 500,
    chains: int = 4,
    seed: int = 1,
    sensitivity: bool = True,
) -> Reconciliation:
    """Reconcile rival figures of one quantity.

    Parameters
    ----------
    figures : Region, frame or path
        A region pack (then its ``quantities.yaml`` says which definitions relate how), or rows in the schema of the
        table ``figures``.
    quantity : str
        Name in ``quantities.yaml``, or else a value of the column ``quantity``: then the commonest concept is the
        target and every other one is taken as overlapping.
    year : int, optional
        Year of the headline; the last year with a figure unless given.
    relations : dict, optional
        For each concept ``same``, ``superset``, ``subset``, ``overlapping``, or a mapping with ``kind``, ``scale``,
        ``reason``. Overrides the pack.
    source : str, optional
        Column whose values share a bias; as the pack says, or ``source_id``.
    level : float
        Probability of the interval.
    draws, chains : int
        Posterior draws a chain, and chains.
    seed : int
        Seed of the sampler.
    sensitivity : bool
        Repeat with halved and doubled prior scales.

    Returns
    -------
    Reconciliation

    Raises
    ------
    ZholError
        If there is no usable figure, a concept or relation is unknown, or the year lies outside the figures.

    References
    ----------
    Raymer et al. (2013), JASA 108(503):801-819; the relations between definitions are stated by the pack.

    Examples
    --------
    >>> rows = {"figure_id": ["a", "b"], "quantity": ["q", "q"], "concept": ["irregular_stock"] * 2,
    ...         "date_start": ["2010-01-01", "2011-01-01"], "date_end": ["2010-12-31", "2011-12-31"],
    ...         "value": [300000.0, 500000.0], "low": [None, None], "high": [None, None], "unit": ["persons"] * 2,
    ...         "grade": ["C", "D"], "source_id": ["s1", "s2"], "definition": ["police", "press"]}
    >>> post = reconcile(rows, "q", draws=100, chains=1, sensitivity=False)
    >>> bool(200_000 < post.population < 700_000)
    True
    """
    frame, definition = _definition(figures, quantity, relations)
    used, warnings = _select(frame, definition)
    data = observe(used, definition.parts, source or definition.institution)
    years = np.arange(int(np.floor(data.time.min())), int(np.floor(data.time.max())) + 1)
    focus = int(years[-1] if year is None else year)
    if focus not in years:
        raise ZholError("no figure near the year asked for", found=focus, expected=f"{years[0]} to {years[-1]}")
    sample = _sampler(data, definition, years, draws, chains, seed)
    posterior = sample(1.0)
    warnings += _sampling_warnings(posterior)
    stock = posterior["stock"]
    at = int(np.searchsorted(years, focus))
    tails = [50 * (1 - level), 50.0, 50 * (1 + level)]
    low, middle, high = np.percentile(stock[:, at], tails)
    offsets = _figure_offsets(data, posterior, tails)
    return Reconciliation(
        population=float(middle),
        low=float(low),
        high=float(high),
        se=float(stock[:, at].std()),
        table=_by_year(years, stock, data, tails),
        warnings=tuple(warnings + _spread_warning(data, low, high)),
        title=definition.title,
        level=level,
        unit=definition.unit,
        details=_details(definition, data, posterior, focus),
        cites=CITES,
        figures=offsets,
        sources=_source_biases(data, posterior, tails),
        next_figure=_next_figure(data, posterior, at, focus),
        sensitivity=_sensitivity(sample, at, tails, (low, middle, high)) if sensitivity else pl.DataFrame(),
        draws=stock,
    )


def choose(figures: Any, quantity: str) -> tuple[pl.DataFrame, Any]:
    """The rows that a reconciliation would use, and the definition behind the choice."""
    frame, definition = _definition(figures, quantity, None)
    return _select(frame, definition)[0], definition


def _definition(figures: Any, quantity: str, relations: dict[str, Any] | None) -> tuple[pl.DataFrame, _Definition]:
    """The rows to choose from, and what the quantity means."""
    is_region = hasattr(figures, "table") and hasattr(figures, "path")
    frame = figures.table("figures") if is_region else to_polars(figures, name="figures")
    written = _written(figures, quantity) if is_region else None
    if written is not None:
        own = {**written.relations, **_relations(relations or {})}
        return frame, _Definition(**{**written.__dict__, "relations": own})
    if "quantity" not in frame.columns or quantity not in frame["quantity"].to_list():
        there = sorted(frame["quantity"].unique().drop_nulls()) if "quantity" in frame.columns else frame.columns
        raise ZholError("unknown quantity", found=quantity, expected=", ".join(there))
    rows = frame.filter(pl.col("quantity") == quantity)
    commonest = rows["concept"].value_counts().sort(["count", "concept"], descending=[True, False])["concept"][0]
    guessed = {c: relation("same" if c == commonest else "overlapping") for c in rows["concept"].unique()}
    codes = sorted(set(rows["origin"].fill_null("").to_list())) if "origin" in rows.columns else [""]
    parts: dict[str, tuple[str, ...]] = dict.fromkeys(codes, ("all",))
    unit = str(rows["unit"][0])
    return rows, _Definition(
        quantity, unit, commonest, {}, parts, {**guessed, **_relations(relations or {})}, units=(unit,)
    )


def _written(region: Region, quantity: str) -> _Definition | None:
    path = Path(region.path) / "quantities.yaml"
    if not path.is_file():
        return None
    entry = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get(quantity)
    if entry is None:
        return None
    unknown = set(entry) - _DEFINITION_KEYS
    if unknown:
        raise ZholError(
            "unknown key of a quantity",
            file=path,
            found=sorted(unknown)[0],
            expected=", ".join(sorted(_DEFINITION_KEYS)),
        )
    parts = {code: tuple(names) for code, names in (entry.get("parts") or {"": ["all"]}).items()}
    return _Definition(
        title=entry["title"],
        unit=entry["unit"],
        target=entry["target"],
        figures={k: list(v) for k, v in entry["figures"].items()},
        parts=parts,
        relations=_relations(entry["relations"]),
        units=tuple(entry.get("units") or [entry["unit"]]),
        institution=entry.get("institution", "source_id"),
        note=entry.get("note", ""),
    )


def _relations(given: dict[str, Any]) -> dict[str, Relation]:
    found = {}
    for concept, entry in given.items():
        if isinstance(entry, str):
            entry = {"kind": entry}
        found[concept] = relation(entry["kind"], entry.get("scale"), entry.get("reason", ""))
    return found


def _select(frame: pl.DataFrame, definition: _Definition) -> tuple[pl.DataFrame, list[str]]:
    """Rows of the quantity whose definition is related to the target and whose unit fits."""
    rows = frame
    for column, values in definition.figures.items():
        rows = rows.filter(pl.col(column).is_in(values))
    related = rows.filter(
        pl.col("concept").is_in(list(definition.relations)),
        pl.col("unit").is_in(definition.units),
        pl.any_horizontal(pl.col("value", "low", "high").is_not_null()),
    )
    if definition.parts and set(definition.parts) != {""} and "origin" in related.columns:
        related = related.filter(pl.col("origin").fill_null("").is_in(list(definition.parts)))
    left_out = rows.height - related.height
    if related.height == 0:
        raise ZholError(
            f"no usable figure for {definition.title}", found=f"{rows.height} rows", hint="check concept, unit"
        )
    warnings = [f"{left_out} figures of other definitions or units were left out"] if left_out else []
    return related.sort("date_start", "figure_id"), warnings


Sampler = Callable[[float], dict[str, np.ndarray]]


def _sampler(
    data: Observations, definition: _Definition, years: np.ndarray, draws: int, chains: int, seed: int
) -> Sampler:
    """A function that draws from the posterior with all prior scales multiplied by its argument; compiled once."""
    import jax
    from numpyro.infer import MCMC, NUTS, init_to_median

    # Level, shifts and biases trade off against each other: one dense block for them.
    kernel = NUTS(
        _model(data, definition, years),
        target_accept_prob=0.95,
        init_strategy=init_to_median(),
        dense_mass=[("start", "free", "half", "raw")],
    )
    mcmc = MCMC(
        kernel,
        num_warmup=400,
        num_samples=draws,
        num_chains=chains,
        chain_method="sequential",
        progress_bar=False,
        jit_model_args=True,
    )

    def sample(scale: float) -> dict[str, np.ndarray]:
        mcmc.run(jax.random.PRNGKey(seed), scale, extra_fields=("diverging",))
        drawn = {name: np.asarray(value) for name, value in mcmc.get_samples().items()}
        drawn["diverging"] = np.asarray(mcmc.get_extra_fields()["diverging"])
        drawn["r_hat"] = _r_hat(np.asarray(mcmc.get_samples(group_by_chain=True)["stock"]))
        return drawn

    return sample


def _model(data: Observations, definition: _Definition, years: np.ndarray) -> Callable[[Any], None]:
    """The measurement model as a NumPyro function of the multiplier of its prior scales."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.scipy.special import logsumexp

    prior = scales()
    tails = float(prior["tails"])
    bias_scale = jnp.array([prior["grades"][g]["bias"] for g in data.grade_names])
    error_scale = jnp.array([prior["grades"][g]["error"] for g in data.grade_names])
    related = [definition.relations[c] for c in data.concept_names]
    sign = jnp.array([r.sign for r in related])
    spread = jnp.array([r.scale for r in related])
    centre = float(np.median(data.log_value)) - np.log(len(data.part_names))
    outside = jnp.where(jnp.array(data.parts.T), 0.0, -jnp.inf)
    size = (len(data.part_names), len(years))
    # Products with constant matrices, not gathers: the gradient of a gather is slow on a processor.
    weights = jnp.array(_interpolation(data.time, years))
    sums = jnp.array(np.triu(np.ones((size[1], size[1])), 0) * (np.arange(size[1])[:, None] > 0))
    of_concept = jnp.eye(len(related))[data.concept]
    of_source = jnp.eye(len(data.source_names))[data.source]
    grade_of_source = jnp.eye(len(data.grade_names))[data.source_grade]
    of_grade = jnp.eye(len(data.grade_names))[data.grade]

    def model(scale: Any) -> None:
        walk = numpyro.sample("walk", dist.HalfNormal(prior["walk"] * scale))
        start = numpyro.sample("start", dist.Normal(0.0, 1.0).expand([size[0]]).to_event(1))
        step = numpyro.sample("step", dist.Normal(0.0, 1.0).expand([*size]).to_event(2))
        log_stock = centre + prior["level"] * start[:, None] + walk * (step @ sums)
        numpyro.deterministic("stock", jnp.exp(log_stock).sum(axis=0))

        free = numpyro.sample("free", dist.Normal(0.0, 1.0).expand([len(related)]).to_event(1))
        half = numpyro.sample("half", dist.HalfNormal(1.0).expand([len(related)]).to_event(1))
        shift = numpyro.deterministic("shift", spread * jnp.where(sign == 0, free, sign * half))

        # Scales are log-normal around the stated ones: a half-normal would let them touch zero, and the sampler stall.
        wide = dist.Normal(0.0, prior["scale_sd"]).expand([len(data.grade_names)]).to_event(1)
        bias_sd = numpyro.deterministic("bias_sd", bias_scale * scale * jnp.exp(numpyro.sample("bias_log", wide)))
        error_sd = numpyro.deterministic("error_sd", error_scale * scale * jnp.exp(numpyro.sample("error_log", wide)))
        raw = numpyro.sample("raw", dist.StudentT(tails, 0.0, 1.0).expand([len(data.source_names)]).to_event(1))
        bias = numpyro.deterministic("bias", (grade_of_source @ bias_sd) * raw)

        at = log_stock @ weights.T
        truth = numpyro.deterministic("truth", at[0] if size[0] == 1 else logsumexp(at + outside, axis=0))
        mean = truth + of_concept @ shift + of_source @ bias
        sd = jnp.sqrt((of_grade @ error_sd) ** 2 + jnp.array(data.range_sd) ** 2)
        numpyro.factor("figures", _log_likelihood(data, mean, sd, tails).sum())

    return model


def _log_likelihood(data: Observations, mean: Any, sd: Any, tails: float) -> Any:
    """Student's t for a value; for "more than" and "at most" the normal probability of that side."""
    import jax.numpy as jnp
    import numpyro.distributions as dist
    from jax.scipy.stats import norm

    y = jnp.array(data.log_value)
    exact = dist.StudentT(tails, mean, sd).log_prob(y)
    if not data.bound.any():
        return exact
    above, below = norm.logsf(y, mean, sd), norm.logcdf(y, mean, sd)
    bound = jnp.array(data.bound)
    return jnp.where(bound == 0, exact, jnp.where(bound > 0, above, below))


def _interpolation(time: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Weights of the mid-years around each time; shape (figure, year), rows add to one."""
    position = np.clip(time - (years[0] + 0.5), 0.0, len(years) - 1.0)
    return np.asarray(np.clip(1.0 - np.abs(position[:, None] - np.arange(len(years))), 0.0, 1.0))


def _r_hat(chains: np.ndarray) -> np.ndarray:
    """Split R-hat of the log stock by year; chains has shape (chain, draw, year)."""
    logs = np.log(chains)
    half = logs.shape[1] // 2
    split = np.concatenate([logs[:, :half], logs[:, half : 2 * half]])
    within = split.var(axis=1, ddof=1).mean(axis=0)
    between = half * split.mean(axis=1).var(axis=0, ddof=1)
    return np.asarray(np.sqrt(((half - 1) / half * within + between / half) / within))


def _sampling_warnings(posterior: dict[str, np.ndarray]) -> list[str]:
    found = []
    worst, diverging = float(posterior["r_hat"].max()), int(posterior["diverging"].sum())
    if worst > 1.01:
        found.append(f"the sampler has not settled (R-hat {worst:.3f}); take more draws")
    if diverging > 0.001 * posterior["diverging"].size:
        found.append(f"{diverging} divergent draws: the tails of the interval may be off")
    return found


def _spread_warning(data: Observations, low: float, high: float) -> list[str]:
    ratio = float(np.exp(data.log_value.max() - data.log_value.min()))
    text = f"the figures used differ by a factor of {ratio:.1f}; the interval spans a factor of {high / low:.1f}"
    return [text] if ratio > 2 else []


def _by_year(years: np.ndarray, stock: np.ndarray, data: Observations, tails: list[float]) -> pl.DataFrame:
    low, middle, high = np.percentile(stock, tails, axis=0)
    count = [int((np.floor(data.time) == y).sum()) for y in years]
    distance = [float(np.abs(data.time - (y + 0.5)).min()) for y in years]
    return pl.DataFrame(
        {
            "year": years,
            "population": middle,
            "low": low,
            "high": high,
            "se": stock.std(axis=0),
            "figures": count,
            "years_to_nearest_figure": np.round(distance, 1),
        }
    )


def _figure_offsets(data: Observations, posterior: dict[str, np.ndarray], tails: list[float]) -> pl.DataFrame:
    """By which factor each figure is off the target, and beyond its definition."""
    total = np.exp(data.log_value - posterior["truth"])
    beyond = total / np.exp(posterior["shift"][:, data.concept])
    ends = {"off": np.percentile(total, tails, axis=0), "beyond": np.percentile(beyond, tails, axis=0)}
    keep = [
        c
        for c in ("figure_id", "concept", "definition", "value", "low", "high", "grade", "source_id")
        if c in data.table.columns
    ]
    columns = {
        f"{name}{suffix}": values[i]
        for name, values in ends.items()
        for i, suffix in ((1, ""), (0, "_low"), (2, "_high"))
    }
    return data.table.select(keep).with_columns(
        pl.Series("year", np.floor(data.time).astype(int)), *(pl.Series(k, v) for k, v in columns.items())
    )


def _source_biases(data: Observations, posterior: dict[str, np.ndarray], tails: list[float]) -> pl.DataFrame:
    low, middle, high = np.exp(np.percentile(posterior["bias"], tails, axis=0))
    return pl.DataFrame(
        {
            "source": data.source_names,
            "figures": [int((data.source == s).sum()) for s in range(len(data.source_names))],
            "bias": middle,
            "low": low,
            "high": high,
            "probability_too_high": (posterior["bias"] > 0).mean(axis=0),
        }
    ).sort("bias", descending=True)


def _next_figure(data: Observations, posterior: dict[str, np.ndarray], at: int, focus: int) -> pl.DataFrame:
    """How much one more figure would narrow the interval, by the linear rule of Bayes on the draws.

    For a new figure y of the log stock x: share of the width taken off = 1 - sqrt(1 - cor(x, y)^2).
    """
    x = np.log(posterior["stock"][:, at])
    rng = np.random.default_rng(0)
    rows: list[tuple[str, str | None, str, np.ndarray]] = []
    for g, grade in enumerate(data.grade_names):
        bias = posterior["bias_sd"][:, g] * rng.standard_t(float(scales()["tails"]), len(x))
        error = posterior["error_sd"][:, g] * rng.standard_normal(len(x))
        rows.append(("new source", None, grade, x + bias + error))
    for s, name in enumerate(data.source_names):
        g = int(data.source_grade[s])
        error = posterior["error_sd"][:, g] * rng.standard_normal(len(x))
        rows.append(("same source again", name, data.grade_names[g], x + posterior["bias"][:, s] + error))
    gain = [float(1 - np.sqrt(max(0.0, 1 - np.corrcoef(x, y)[0, 1] ** 2))) for *_, y in rows]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(("kind", "source", "grade"))}
    frame = pl.DataFrame({**columns, "year": [focus] * len(rows), "narrows_by": gain})
    return frame.sort("narrows_by", descending=True)


def _sensitivity(sample: Sampler, at: int, tails: list[float], base: tuple[float, float, float]) -> pl.DataFrame:
    rows = [{"priors": "as stated", "low": base[0], "population": base[1], "high": base[2]}]
    for name, scale in (("scales halved", 0.5), ("scales doubled", 2.0)):
        low, middle, high = np.percentile(sample(scale)["stock"][:, at], tails)
        rows.append({"priors": name, "low": float(low), "population": float(middle), "high": float(high)})
    return pl.DataFrame(rows).select("priors", "population", "low", "high")


def _details(
    definition: _Definition, data: Observations, posterior: dict[str, np.ndarray], focus: int
) -> dict[str, Any]:
    shift = np.exp(np.percentile(posterior["shift"], [2.5, 50, 97.5], axis=0))
    return {
        "year": focus,
        "target": definition.target,
        "note": definition.note,
        "figures": len(data.log_value),
        "definitions": [
            {
                "concept": c,
                "relation": definition.relations[c].kind,
                "reason": definition.relations[c].reason,
                "times_target": shift[1, i],
                "times_target_low": shift[0, i],
                "times_target_high": shift[2, i],
            }
            for i, c in enumerate(data.concept_names)
        ],
        "r_hat": float(posterior["r_hat"].max()),
        "divergences": int(posterior["diverging"].sum()),
    }
