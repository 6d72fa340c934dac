"""Results of long runs: kept, read back, made again when broken, never in the way."""

import numpy as np
import pytest

from zhol.brief import stored as room
from zhol.brief.stored import stored


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZHOL_CACHE", str(tmp_path))
    return tmp_path / "zhol" / "runs"


def making(calls, value=1.0):
    def make():
        calls.append(value)
        return {"a": np.full(3, value)}, {"names": ("x", "y")}

    return make


def test_the_second_time_nothing_is_run_and_the_same_comes_back(cache):
    calls = []
    first, second = stored("policy", "k", making(calls)), stored("policy", "k", making(calls))
    assert calls == [1.0]
    assert np.array_equal(first[0]["a"], second[0]["a"]) and first[1] == second[1] == {"names": ["x", "y"]}
    assert stored("policy", "other", making(calls, 2.0))[0]["a"][0] == 2.0


@pytest.mark.parametrize("left", [b"", b"no archive", None])
def test_a_broken_file_is_made_again(cache, left):
    calls = []
    stored("policy", "k", making(calls))
    file = next(cache.iterdir())
    file.write_bytes(file.read_bytes()[:-40] if left is None else left)
    assert stored("policy", "k", making(calls, 3.0))[0]["a"][0] == 3.0
    assert stored("policy", "k", making(calls, 4.0))[0]["a"][0] == 3.0


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ZHOL_CACHE", str(tmp_path / "file"))
    assert stored("policy", "k", making([]))[0]["a"][0] == 1.0


def test_old_files_are_thrown_away_of_their_own_kind_only(cache):
    for number in range(5):
        stored("outlook", str(number), making([]))
    stored("policy", "k", making([]))
    kept = sorted(p.name.split("_")[0] for p in cache.iterdir())
    assert kept == ["outlook"] * room.KEPT["outlook"] + ["policy"]
