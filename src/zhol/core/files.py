"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from zhol.core.errors import ZholError


def replace_file(folder: Path, name: str, content: bytes) -> Path:
    """Write beside the target, then rename: a reader never sees half a file.

    Raises
    ------
    ZholError
        If the folder cannot be written.
    """
    target = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ZholError("file cannot be written", file=target, found=error.strerror, hint="check the folder") from error
    return target
