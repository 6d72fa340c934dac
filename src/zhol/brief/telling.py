"""Whom to tell how far a brief is, while it is composed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Tell = Callable[[str], None]
_LISTENER: ContextVar[Tell | None] = ContextVar("listener", default=None)


@contextmanager
def listening(tell: Tell | None) -> Iterator[None]:
    """Pass what is told inside on to a listener.

    Examples
    --------
    >>> heard = []
    >>> with listening(heard.append):
    ...     say("half of it")
    >>> say("to nobody")
    >>> heard
    ['half of it']
    """
    token = _LISTENER.set(tell)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def say(words: str) -> None:
    """Tell the listener, if there is one."""
    tell = _LISTENER.get()
    if tell is not None:
        tell(words)
