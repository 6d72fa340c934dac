"""One error for everything a user can mend, one warning class for everything a reader should know."""

from __future__ import annotations

from pathlib import Path


class ZholError(Exception):
    """Bad input, said in one line: where, what was found, what was expected, what to do.

    Parameters
    ----------
    message : str
        What is wrong, without a full stop.
    file : str or Path, optional
        The file at fault; only its name and its parent folder are shown.
    row : int, optional
        Row as a spreadsheet counts it: the header is row 1, the first record row 2.
    column : str, optional
        Column at fault.
    found : object, optional
        What stands there (shortened to 60 characters).
    expected : str, optional
        What should stand there.
    hint : str, optional
        What to do next.

    Examples
    --------
    >>> print(ZholError("unknown place", file="stocks.csv", row=3, column="origin", found="KAX", expected="a code"))
    stocks.csv, row 3, column origin: unknown place; found 'KAX', expected a code
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        column: str | None = None,
        found: object = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.message, self.row, self.column = message, row, column
        self.file = None if file is None else Path(file)
        self.found, self.expected, self.hint = found, expected, hint
        super().__init__(self._line())

    def _line(self) -> str:
        where = []
        if self.file is not None:
            where.append(self.file.name)
        if self.row is not None:
            where.append(f"row {self.row}")
        if self.column is not None:
            where.append(f"column {self.column}")
        parts = [self.message]
        details = []
        if self.found is not None:
            details.append(f"found {_short(self.found)}")
        if self.expected is not None:
            details.append(f"expected {self.expected}")
        if details:
            parts.append(", ".join(details))
        if self.hint is not None:
            parts.append(self.hint)
        text = "; ".join(parts)
        line = f"{', '.join(where)}: {text}" if where else text
        return " ".join(line.split())


class ZholWarning(UserWarning):
    """Something the reader of a number must know; also kept in the result's ``warnings``."""


def _short(value: object, width: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"
