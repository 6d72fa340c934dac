"""A number never travels alone: value, interval, unit, source."""

from __future__ import annotations

from dataclasses import dataclass, field

from zhol.core.errors import ZholError


@dataclass(frozen=True)
class Quantity:
    """A figure with its interval, unit and sources.

    Parameters
    ----------
    value : float or None
        Central value; None when only a range was published.
    low, high : float or None
        Ends of the interval. Both None only if ``no_interval`` says why.
    unit : str
        For example ``persons``, ``USD million``, ``%``.
    sources : tuple of str
        Ids of rows in the pack's ``sources`` table.
    interval : str
        What the interval is: ``95% confidence``, ``spread of rival sources``, ``published range``, ...
    no_interval : str, optional
        Reason why there is none (for example "publisher gives none, one source").

    Raises
    ------
    ZholError
        If the interval does not contain the value, or is missing without a reason.

    Examples
    --------
    >>> q = Quantity(689957, 296511, 689957, "persons", ("UNDESA2020", "UNDESA2024"), "spread of rival sources")
    >>> q.text()
    '690 thousand (297 thousand to 690 thousand)'
    """

    value: float | None
    low: float | None
    high: float | None
    unit: str
    sources: tuple[str, ...] = field(default=())
    interval: str = ""
    no_interval: str | None = None

    def __post_init__(self) -> None:
        if (self.low is None or self.high is None) and not self.no_interval:
            raise ZholError("a number without an interval needs a reason", found=self.value, expected="no_interval")
        if self.low is not None and self.high is not None:
            if self.low > self.high:
                raise ZholError("interval upside down", found=(self.low, self.high), expected="low <= high")
            if self.value is not None and not (self.low <= self.value <= self.high):
                raise ZholError("interval does not contain the value", found=(self.low, self.value, self.high))

    def text(self) -> str:
        """Value and interval as a reader would want them, rounded to three significant digits."""
        centre = "" if self.value is None else plain_number(self.value)
        if self.low is None or self.high is None:
            return centre
        span = f"{plain_number(self.low)} to {plain_number(self.high)}"
        return f"{centre} ({span})" if centre else span


def plain_number(value: float) -> str:
    """Three significant digits, with the words thousand, million, billion.

    Examples
    --------
    >>> [plain_number(x) for x in (0, 12, 0.1234, 9400, 164586, 1999999, -2.5e9)]
    ['0', '12', '0.123', '9,400', '165 thousand', '2 million', '-2.5 billion']
    """
    size = abs(value)
    if size < 10_000:
        if float(value).is_integer():
            return f"{int(value):,}"
        return f"{value:,.0f}" if size >= 999.5 else f"{value:.3g}"
    for limit, word in ((999_500, "thousand"), (999_500_000, "million"), (float("inf"), "billion")):
        if size < limit:
            scale = {"thousand": 1e3, "million": 1e6, "billion": 1e9}[word]
            digits = f"{float(f'{value / scale:.3g}'):,.2f}".rstrip("0").rstrip(".")
            return f"{digits} {word}"
    raise AssertionError
