"""Behaviours that must hold of the moving system, whatever the pack: each measured on several draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.trust._check.bench import SIZES, Bench, make_bench
from zhol.trust._check.finding import Finding

if TYPE_CHECKING:
    from zhol.system.model import Model

Progress = Callable[[int, int], None]
_RUNS = {"small": 62, "full": 80}  # about as many runs as a check makes, for the bar


@dataclass(frozen=True)
class CheckReport:
    """What a check found; frozen.

    Attributes
    ----------
    findings : tuple of Finding
        One a behaviour, with its value in every cell: a draw of the parameters beside one corridor.
    meta : mapping
        Pack, size, seed, months, draws, where the parameters come from, corridors that were looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from zhol.trust._check.finding import Finding
    >>> report = CheckReport((Finding("a", "Laws", "Nothing is lost.", "Error.", np.zeros(4), high=1e-6),), {})
    >>> report.passed, report.table["holds_in"].to_list()
    (True, [1.0])
    """

    findings: tuple[Finding, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True if no behaviour fails; one that the pack has nothing to measure on does not count."""
        return all(f.passed is not False for f in self.findings)

    @property
    def failed(self) -> tuple[str, ...]:
        """Ids of the behaviours that fail."""
        return tuple(f.id for f in self.findings if f.passed is False)

    @property
    def table(self) -> pl.DataFrame:
        """One row a behaviour: what is claimed, how it was measured, worst and median value, bound, verdict."""
        kinds = {"passed": pl.Boolean, "worst": pl.Float64, "median": pl.Float64, "holds_in": pl.Float64}
        rows = [f.row() for f in self.findings]
        return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None).with_columns(
            pl.col("worst", "median", "holds_in").fill_nan(None)
        )

    def finding(self, name: str) -> Finding:
        """One behaviour by its id.

        Raises
        ------
        ZholError
            There is none of that name.
        """
        for found in self.findings:
            if found.id == name:
                return found
        raise ZholError("unknown behaviour", found=name, expected=", ".join(f.id for f in self.findings))

    def summary(self) -> str:
        """The check in a few lines, failures first."""
        good = sum(f.passed is True for f in self.findings)
        bare = [f.id for f in self.findings if f.passed is None]
        lines = [
            f"{len(self.findings)} behaviours of {self.meta.get('pack', 'a model')}: {good} hold, {len(self.failed)} "
            f"fail, {len(bare)} could not be measured on this pack"
        ]
        for found in self.findings:
            if found.passed is False:
                lines.append(
                    f"FAILS {found.id}: {found.statement} Holds in {found.holds:.0%} of {found.cells.size} cells, "
                    f"needed {found.needed:.0%}; worst {found.worst:.3g}, bound {found.bound}"
                )
        if bare:
            lines.append(f"Not measured: {', '.join(bare)}")
        return "\n".join(lines)

    def write(self, folder: str | Path) -> list[Path]:
        """Write the report: one self-contained page, the same in Markdown, and its pictures.

        Returns
        -------
        list of Path
            ``behaviours.html``, ``behaviours.md`` and the pictures.

        Raises
        ------
        ZholError
            The folder cannot be written.
        """
        from zhol.trust._check.pages import write_pages

        return write_pages(self, Path(folder))


def check(
    model: Model,
    size: str = "small",
    seed: int = 1,
    *,
    start: str | None = None,
    parameters: Any = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Check that a model behaves as it must: laws of its accounts, and what each lever has to do.

    Every behaviour is measured on several draws of the parameters, beside several corridors: those with most people in
    an irregular status. All runs share their draws and go through the same compiled month in double precision, so a
    difference between two runs has one cause.

    Parameters
    ----------
    model : Model
        Of any pack.
    size : {"small", "full"}
        ``small``: 8 draws beside 2 corridors over six years; ``full``: 24 draws beside 8 corridors over ten.
    seed : int
        Seed of the draws.
    start : str, optional
        First month; 2000-01, or the first January that the series of the pack allow.
    parameters : optional
        As in ``Model.simulate``: None is the posterior shipped with the pack, else the prior.
    progress : callable (done, all), optional

    Returns
    -------
    CheckReport

    Raises
    ------
    ZholError
        An unknown size, or a model without corridors.

    Notes
    -----
    ``docs/explanation/behaviours.md`` lists the behaviours and says which must hold in every draw and which in most.

    Examples
    --------
    >>> import zhol
    >>> model = zhol.system.Model(zhol.load("central_asia"))
    >>> zhol.trust.check(model, size="huge")
    Traceback (most recent call last):
    zhol.core.errors.ZholError: unknown size of a check; found 'huge', expected small or full
    """
    if size not in SIZES:
        raise ZholError("unknown size of a check", found=size, expected=" or ".join(SIZES))
    done = [0]

    def tell() -> None:
        done[0] += 1
        if progress:
            progress(min(done[0], _RUNS[size]), _RUNS[size])

    bench = make_bench(model, SIZES[size], seed, start=start, parameters=parameters, tell=tell)
    found = tuple(sorted(_findings(bench), key=lambda f: _GROUPS.index(f.group)))
    meta = {
        "pack": model.region.name,
        "size": size,
        "seed": seed,
        "start": bench.months[0],
        "end": bench.months[-1],
        "draws": SIZES[size].draws,
        "parameters": bench.origin,
        "corridors": tuple(f"{c.origin}>{c.destination}" for c in bench.cases),
        "runs": len(bench.seen),
    }
    return CheckReport(found, meta)


def _findings(bench: Bench) -> Iterator[Finding]:
    """Every behaviour, one after the other; what holds of all runs comes when all runs are made."""
    from zhol.trust._check import laws, special
    from zhol.trust._check.half_months import run_half_months
    from zhol.trust._check.responses import TRIALS, judge

    base = bench.run()
    tight = bench.run({"open_visit": -1.5})
    rows = np.arange(16) % np.count_nonzero(bench.cell == 0) if bench.cells < 16 else np.arange(16)
    half = run_half_months(bench, rows)
    yield laws.no_instrument(bench, base)
    yield laws.doubling(bench, rows, half)
    yield from laws.halving(bench, rows, half)
    yield laws.quota_without_end(bench, base)
    yield laws.order_of_rows(bench, rows)
    yield from laws.leg_removed(bench, base)
    yield laws.shares_of_others(bench, base)
    for trial in TRIALS:
        yield from judge(bench, base, trial)
    yield from special.market(bench, base)
    yield from special.leakage(bench, base, tight)
    yield special.dose(bench, base, tight)
    yield from special.anticipation(bench, base)
    yield from special.bookkeeping(bench, base)
    yield special.reverse_flow(bench)
    yield from special.deflection(bench, base)
    yield from special.networks(bench, base)
    yield special.richer_destination(bench, base)
    yield from special.quotas(bench, base)
    yield special.treaty(bench)
    yield from laws.kept_in_every_run(bench)


_GROUPS = (
    "Laws of the accounts",
    "Instruments",
    "Choice and deflection",
    "Roads and the market for passage",
    "Statuses",
    "Exits",
    "Accounts of people",
)
