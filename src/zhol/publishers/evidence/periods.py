"""Turn the dates that sources write into a first and a last day."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from zhol.publishers.evidence import rules

_MONTHS = {name: i for i, name in enumerate(calendar.month_abbr) if name}


@dataclass(frozen=True)
class Period:
    """First and last day, empty where the source gives none, and what a reader must know."""

    start: str
    end: str
    note: str = ""


def period(text: str) -> Period:
    """The first and the last day of a period as a source writes it.

    A year, quarter or month is read as all its days; what cannot be read stays empty with a note.

    Parameters
    ----------
    text : str
        ``2014``, ``2014-03``, ``2014-03-03``, ``2019-Q1``, ``2025-H1``, ``FY2024``, ``2015 (Jan-Oct)``,
        ``2015 (5.5 months)``, ``c. 2017``, ``before 2016``, ``2008-2017``, ``2014/15``, ``2014-01/02``,
        ``2022-09-21/10-04``.

    Returns
    -------
    Period

    Examples
    --------
    >>> period("2019-Q1")
    Period(start='2019-01-01', end='2019-03-31', note='')
    >>> period("2022-09-21/10-04")
    Period(start='2022-09-21', end='2022-10-04', note='')
    >>> period("before 2016")
    Period(start='', end='2015-12-31', note='before 2016: no first year given')
    """
    text = text.strip()
    for rule in rules.rows("periods"):
        if rule["written"] == text:
            return Period(rule["start"], rule["end"], f"dates written {text}: {rule['why']}" if rule["why"] else "")
    for reader in (_whole, _named, _part_of_year, _range):
        found = reader(text)
        if found is not None:
            return found
    return Period("", "", f"date not read: {text}" if text else "no date given")


def _whole(text: str) -> Period | None:
    """A year, month, day, quarter, half year or United States fiscal year."""
    if match := re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text):
        start, end = _span(*match.groups())
        return Period(start, end)
    if match := re.fullmatch(r"(\d{4})-([QH])(\d)", text):
        year, size = int(match[1]), 3 if match[2] == "Q" else 6
        last = int(match[3]) * size
        return Period(_day(year, last - size + 1, 1), _last(year, last)) if last <= 12 else None
    if match := re.fullmatch(r"FY(\d{4})", text):
        year = int(match[1])
        return Period(_day(year - 1, 10, 1), _last(year, 9), "fiscal year of the United States: October to September")
    return None


def _named(text: str) -> Period | None:
    """About a year, or before a year."""
    if match := re.fullmatch(r"c\. (\d{4})", text):
        year = int(match[1])
        return Period(_day(year, 1, 1), _last(year, 12), f"about {year}: the year is not certain")
    if match := re.fullmatch(r"before (\d{4})", text):
        year = int(match[1])
        return Period("", _last(year - 1, 12), f"before {year}: no first year given")
    return None


def _part_of_year(text: str) -> Period | None:
    """A year with months in brackets."""
    match = re.fullmatch(r"(\d{4}) \((.+)\)", text)
    if not match:
        return None
    year, part = int(match[1]), match[2]
    if months := re.fullmatch(r"([A-Z][a-z]{2})-([A-Z][a-z]{2})", part):
        return Period(_day(year, _MONTHS[months[1]], 1), _last(year, _MONTHS[months[2]]))
    if count := re.fullmatch(r"(\d+)(\.5)? months", part):
        whole = int(count[1])
        end = _day(year, whole + 1, 15) if count[2] else _last(year, whole)
        return Period(_day(year, 1, 1), end, f"{part} of {year}: read as counted from January")
    return Period(_day(year, 1, 1), _last(year, 12), f"{part}: the months are not given")


def _range(text: str) -> Period | None:
    """From one date to another; the second may leave out what it shares with the first."""
    if match := re.fullmatch(r"(\d{4})-(\d{4})", text):
        return Period(_day(int(match[1]), 1, 1), _last(int(match[2]), 12))
    head, _, tail = text.partition("/")
    first = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", head)
    if not tail or not first:
        return None
    start = _span(*first.groups())[0]
    if re.fullmatch(r"\d{4}(-\d{2}){0,2}", tail):
        return Period(start, _span(*[*tail.split("-"), "", ""][:3])[1])
    year, month, day = first.groups()
    if re.fullmatch(r"\d{2}", tail):
        # 2014/15 ends in a year, 2014-01/02 in a month; after a full date it is a day or a month, so a rule must say.
        if day:
            return None
        end = _span(year, tail, None)[1] if month else _span(year[:2] + tail, None, None)[1]
        return Period(start, end)
    if re.fullmatch(r"\d{2}-\d{2}", tail) and day:
        return Period(start, _span(year, *tail.split("-"))[1])
    return None


def _span(year: str, month: str | None, day: str | None) -> tuple[str, str]:
    """First and last day of a year, month or day."""
    y = int(year)
    if day:
        return _day(y, int(month or 1), int(day)), _day(y, int(month or 1), int(day))
    if month:
        return _day(y, int(month), 1), _last(y, int(month))
    return _day(y, 1, 1), _last(y, 12)


def _day(year: int, month: int, day: int) -> str:
    return date(year, month, day).isoformat()


def _last(year: int, month: int) -> str:
    return _day(year, month, calendar.monthrange(year, month)[1])


def moment(text: str) -> tuple[str, str]:
    """A date as exactly as it is known (day, month or year), or nothing and a note with what stands there.

    Examples
    --------
    >>> moment("2018-05")
    ('2018-05', '')
    >>> moment("1994/95")
    ('', 'written 1994/95')
    """
    text = text.strip()
    if re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", text):
        return text, ""
    return "", f"written {text}" if text else ""
