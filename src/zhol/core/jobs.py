"""Run the parts of a long computation here or on a Dask cluster; the caller sees no difference."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from zhol.core.blas import one_thread
from zhol.core.errors import ZholError

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def run(
    work: Callable[..., Answer],
    tasks: Sequence[Task],
    *,
    shared: Any = None,
    cluster: str | None = None,
    threads: int | None = None,
    patience: str = "10s",
    progress: Callable[[int, int], None] | None = None,
) -> list[Answer]:
    """Do one piece of work for every task, and return the answers in the order of the tasks.

    Parameters
    ----------
    work : callable
        A function of a module (it must travel to the workers), of one argument, or of ``shared`` and one argument.
    tasks : sequence
        Its arguments. Randomness must come from them, so that the answers do not depend on who does the work.
    shared : optional
        What all tasks need: it travels to each worker once.
    cluster : str, optional
        Address of a Dask scheduler, as ``tcp://10.0.0.1:8786``. None: this process.
    threads : int, optional
        Threads of this process; as many as processors if None. Arrays only gain: plain Python does not.
    patience : str
        How long to wait for the cluster.
    progress : callable (done, all), optional
        Told after every task.

    Raises
    ------
    ZholError
        If the cluster does not answer, or Dask is not installed.

    Examples
    --------
    >>> run(abs, [-1, 2, -3])
    [1, 2, 3]
    >>> run(pow, [1, 2, 3], shared=2)
    [2, 4, 8]
    """
    tell = progress or (lambda done, total: None)
    if cluster is not None:
        return _on_cluster(work, tasks, shared, cluster, patience, tell)
    work = work if shared is None else partial(work, shared)
    number = min(threads or os.cpu_count() or 1, len(tasks))
    if number < 2:
        return _told(map(work, tasks), len(tasks), tell)
    with one_thread(), ThreadPoolExecutor(number) as pool:
        return _told(pool.map(work, tasks), len(tasks), tell)


def _told(answers: Iterable[Answer], total: int, tell: Callable[[int, int], None]) -> list[Answer]:
    out = []
    for answer in answers:
        out.append(answer)
        tell(len(out), total)
    return out


def _on_cluster(
    work: Callable[..., Answer],
    tasks: Sequence[Task],
    shared: Any,
    cluster: str,
    patience: str,
    tell: Callable[[int, int], None],
) -> list[Answer]:
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ZholError("a cluster needs Dask, which is not installed", hint="pip install distributed") from error

    try:
        client = Client(cluster, timeout=patience, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ZholError("the cluster does not answer", found=cluster, expected="tcp://host:port") from error
    with client:
        if shared is None:
            futures = client.map(work, list(tasks), pure=False)
        else:
            sent = client.scatter(shared, broadcast=True, hash=False)
            futures = client.map(work, [sent] * len(tasks), list(tasks), pure=False)
        for done, _ in enumerate(as_completed(futures, loop=client.loop), start=1):
            tell(done, len(futures))
        answers: list[Answer] = client.gather(futures)
        return answers
