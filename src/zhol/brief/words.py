"""How numbers and the field's words are written."""

from __future__ import annotations

import re

from zhol.core.charts.interval import range_text
from zhol.core.quantity import Quantity, plain_number

_NEUTRAL = ((r"\billegally\b", "irregularly"), (r"\billegals\b", "irregular migrants"), (r"\billegal\b", "irregular"))


def neutral(words: str) -> str:
    """The field's neutral word, outside titles of sources and laws.

    Examples
    --------
    >>> neutral("Illegal residents who work illegally")
    'Irregular residents who work irregularly'
    """
    for pattern, word in _NEUTRAL:
        words = re.sub(pattern, lambda m, w=word: w.capitalize() if m[0][0].isupper() else w, words, flags=re.I)  # type: ignore[misc]
    return words


def number_text(quantity: Quantity, style: str) -> tuple[str, str]:
    """A quantity in letters: the number, and its interval ('' if it is not to be shown or there is none).

    Examples
    --------
    >>> q = Quantity(689957, 296511, 689957, "persons", ("A", "B"), "spread of rival sources")
    >>> number_text(q, "full"), number_text(q, "exact")
    (('690 thousand', '297–690 thousand'), ('689,957', ''))
    """
    low, high, value = quantity.low, quantity.high, quantity.value
    if quantity.interval == "suppressed small count" and high is not None:
        return f"fewer than {high + 1:.0f}", ""
    if style == "signed":
        return _signed(value, low, high, quantity.unit)
    if style == "whole" and value is not None:
        return f"{value:.0f}%", ""
    if value is None:
        return _span(low, high, quantity.unit), ""
    if style == "exact":
        return exact(value, quantity.unit), ""
    shown = _rounded(value, quantity.unit)
    if style == "value" or low is None or high is None:
        return shown, ""
    return shown, _span(low, high, quantity.unit)


def exact(value: float, unit: str) -> str:
    """All digits that mean something: whole counts whole, shares to one decimal.

    Examples
    --------
    >>> exact(2476018, "persons"), exact(12.345, "%"), exact(-1200.0, "persons")
    ('2,476,018', '12.3', '−1,200')
    """
    if unit in {"%", "times"}:
        text = f"{value:,.1f}"
    elif not float(value).is_integer() and abs(value) < 1000:
        text = f"{value:,.3g}"
    else:
        text = f"{value:,.0f}"
    return text.replace("-", "−")


def _rounded(value: float, unit: str) -> str:
    if unit == "%":
        return f"{exact(value, unit)}%"
    text = plain_number(abs(value))
    return f"−{text}" if value < 0 else text


def _span(low: float | None, high: float | None, unit: str) -> str:
    if unit == "%" and low is not None and high is not None:
        return f"{exact(low, unit)}{' to ' if low < 0 else '–'}{exact(high, unit)}%"
    return range_text(low, high).replace("-", "−")


def _signed(value: float | None, low: float | None, high: float | None, unit: str) -> tuple[str, str]:
    """A change: the sign before each number, also inside the interval.

    Examples
    --------
    >>> _signed(-12.3, -30.4, 4.96, "%"), _signed(1500.0, -20.0, 3e6, "persons")
    (('−12%', '−30 to +5%'), ('+1,500', '−20 to +3 million'))
    """
    percent = unit == "%"
    words = [None if v is None else _change(v, percent) for v in (value, low, high)]
    span = "" if words[1] is None or words[2] is None else f"{words[1]} to {words[2]}{'%' if percent else ''}"
    if words[0] is None:
        return span, ""
    return f"{words[0]}{'%' if percent else ''}", span


def _change(value: float, percent: bool) -> str:
    size = abs(value)
    text = (f"{size:,.0f}" if size >= 9.95 else f"{size:.1f}".removesuffix(".0")) if percent else plain_number(size)
    if text in {"0", "0.0"}:
        return "0"
    return f"{'+' if value > 0 else '−'}{text}"
