"""Find a table in a workbook by what its header says: sheets move, rows are added above, columns change places."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zhol.core.errors import ZholError
from zhol.publishers.download import check_kind

if TYPE_CHECKING:
    import polars as pl

# A workbook that unpacks to more than this is not one of the publishers'.
MOST_UNPACKED = 2_000_000_000
HEADER_WITHIN = 60


@dataclass(frozen=True)
class Sheet:
    """A sheet as text, with the row (counted from 0) where its header stands."""

    file: Path
    name: str
    cells: pl.DataFrame
    header: int

    def titles(self, row: int | None = None) -> list[str]:
        """Cells of the header row, or of another row, as clean text."""
        return [clean(cell) for cell in self.cells.row(self.header if row is None else row)]

    def body(self) -> pl.DataFrame:
        """Everything below the header, with the columns named 0, 1, 2, …"""
        names = [str(i) for i in range(self.cells.width)]
        return self.cells.slice(self.header + 1).rename(dict(zip(self.cells.columns, names, strict=True)))


def clean(cell: str | None) -> str:
    """Text of a cell without line breaks and doubled blanks.

    Examples
    --------
    >>> clean("Location code \\n of origin")
    'Location code of origin'
    """
    return "" if cell is None else " ".join(cell.split())


def find_sheet(path: Path, is_header: Callable[[list[str]], bool], *, expected: str) -> Sheet:
    """Sheet with a row among its first sixty that ``is_header`` accepts.

    Parameters
    ----------
    path : Path
        An .xlsx file.
    is_header : callable
        Takes the clean cells of a row.
    expected : str
        What the header should hold, for the error.

    Raises
    ------
    ZholError
        If the file is no workbook, is damaged, or no sheet has such a row.
    """
    import fastexcel

    check_kind(path, "xlsx")
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ZholError("the workbook is damaged", file=path, hint="download it again") from error
    if unpacked > MOST_UNPACKED:
        raise ZholError("the workbook is too large once unpacked", file=path, found=f"{unpacked / 1e9:.1f} GB")
    try:
        book = fastexcel.read_excel(path)
        names = book.sheet_names
        for name in names:
            sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", n_rows=HEADER_WITHIN)
            rows = [[clean(cell) for cell in row] for row in sheet.to_polars().iter_rows()]
            header = next((i for i, row in enumerate(rows) if is_header(row)), None)
            if header is not None:
                cells = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
                return Sheet(path, name, cells, header)
    except fastexcel.FastExcelError as error:
        raise ZholError("the workbook cannot be read", file=path, found=str(error).splitlines()[0]) from error
    raise ZholError("no sheet has the expected header", file=path, found=", ".join(names), expected=expected)
