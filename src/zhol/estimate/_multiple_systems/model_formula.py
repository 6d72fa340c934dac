"""Reads a model formula over list names: ``~ A + B + C + A:B``, ``A*B + C``, ``(A + B + C)^2``.

A formula is a set of terms; a term is a set of lists, held as a bit mask. ``+`` joins, ``-`` takes away, ``:``
crosses, ``*`` joins and crosses, ``^2`` crosses up to two, ``.`` is every list. Names with other signs than letters,
digits, dots and underscores stand in backticks. Terms that a higher one implies are added, so the model is
hierarchical.
"""

from __future__ import annotations

import re

from zhol.core.errors import ZholError

_TOKEN = re.compile(r"\s*(?:(`[^`]+`)|(\*\*|[-+*:^()~])|([^\s\-+*:^()~`]+))")


def read_formula(text: str, names: tuple[str, ...]) -> tuple[int, ...]:
    """Terms of a formula as bit masks: intercept, lists, then the higher ones.

    Raises
    ------
    ZholError
        If the formula cannot be read, names something that is no list, or leaves a list out.
    """
    tokens = _tokens(text.split("~", 1)[1] if "~" in text else text, text)
    reader = _Reader(tokens, text, names)
    terms = {t for t in reader.sum() if t}
    if reader.rest():
        raise ZholError("formula cannot be read", found=text, expected="list names joined by + * : ^ ( )")
    closed = {0} | {part for term in terms for part in _parts(term)}
    missing = [name for j, name in enumerate(names) if 1 << j not in closed]
    if missing:
        raise ZholError(
            f"formula leaves out list {missing[0]}", found=text, hint="add it to the formula, or leave it out of lists="
        )
    return tuple(sorted(closed, key=lambda t: (t.bit_count(), _places(t))))


def looks_like_formula(text: str) -> bool:
    """Whether a model string is a formula and not a name."""
    return any(sign in text for sign in "~+*:^()`")


def _places(mask: int) -> tuple[int, ...]:
    return tuple(j for j in range(mask.bit_length()) if mask >> j & 1)


def _parts(mask: int) -> list[int]:
    """Every non-empty subset of a term."""
    found, part = [], mask
    while part:
        found.append(part)
        part = (part - 1) & mask
    return found


def _tokens(text: str, whole: str) -> list[str]:
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ZholError("formula cannot be read", found=whole, expected="list names joined by + * : ^ ( )")
        tokens.append(next(g for g in match.groups() if g is not None))
        place = match.end()
    return tokens


class _Reader:
    """Recursive descent over the tokens; sets of masks come out."""

    def __init__(self, tokens: list[str], text: str, names: tuple[str, ...]) -> None:
        self.tokens, self.text, self.names, self.place = tokens, text, names, 0

    def rest(self) -> bool:
        return self.place < len(self.tokens)

    def _next(self) -> str | None:
        return self.tokens[self.place] if self.rest() else None

    def _take(self) -> str:
        token = self._next()
        if token is None:
            raise ZholError("formula ends too early", found=self.text, expected="a list name")
        self.place += 1
        return token

    def sum(self) -> set[int]:
        total: set[int] = set() if self._next() == "-" else self._product()
        while self._next() in ("+", "-"):
            sign = self._take()
            more = self._product()
            if sign == "-" and 0 in more:
                raise ZholError("a model of lists needs its intercept", found=self.text, hint="leave out - 1")
            total = total | more if sign == "+" else total - more
        return total

    def _product(self) -> set[int]:
        total = self._crossing()
        while self._next() == "*":
            self._take()
            more = self._crossing()
            total = total | more | {a | b for a in total for b in more}
        return total

    def _crossing(self) -> set[int]:
        total = self._power()
        while self._next() == ":":
            self._take()
            total = {a | b for a in total for b in self._power()}
        return total

    def _power(self) -> set[int]:
        base = self._atom()
        while self._next() in ("^", "**"):
            self._take()
            degree = self._take()
            if not degree.isdigit() or int(degree) < 1:
                raise ZholError("formula has a power that is no whole number", found=degree, expected="as in (A + B)^2")
            total = base
            for _ in range(min(int(degree), len(self.names)) - 1):
                total = total | {a | b for a in total for b in base}
            base = total
        return base

    def _atom(self) -> set[int]:
        token = self._take()
        if token == "(":
            inner = self.sum()
            if self._take() != ")":
                raise ZholError("formula lacks a closing bracket", found=self.text)
            return inner
        name = token.strip("`")
        if name in self.names:
            return {1 << self.names.index(name)}
        if token == ".":
            return {1 << j for j in range(len(self.names))}
        if token == "1":
            return {0}
        if token == "0":
            raise ZholError("a model of lists needs its intercept", found=self.text, hint="leave out 0")
        raise ZholError("formula names something that is no list", found=name, expected=", ".join(self.names))
