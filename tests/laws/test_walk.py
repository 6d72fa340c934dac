"""The walk around the mode gives draws of the density it is told, whatever Laplace's approximation says."""

import numpy as np
import pytest

from zhol.system.walk import walk


def test_a_tilted_normal_has_the_moments_that_algebra_gives():
    """exp(-(a z + b z^2 / 2)) times a standard normal is normal, with variance 1 / (1 + b) and mean -a / (1 + b)."""
    slope, curve = np.array([0.5, -1.0, 0.0]), np.array([3.0, 0.0, 1.0])
    sample, found = walk(lambda z: (slope * z + 0.5 * curve * z**2).sum(axis=1), 3, 4000, seed=2, chains=16, steps=2000)
    np.testing.assert_allclose(sample.mean(axis=0), -slope / (1 + curve), atol=0.08)
    np.testing.assert_allclose(sample.var(axis=0), 1 / (1 + curve), rtol=0.15)
    assert found["largest_rhat"] < 1.05 and 0.1 < found["taken"] < 0.7


def test_a_density_cut_off_at_zero_is_a_half_normal():
    sample, _ = walk(lambda z: np.where(z[:, 0] > 0, 0.0, np.inf), 1, 4000, seed=1, chains=16, steps=2000)
    assert (sample > 0).all()
    assert sample.mean() == pytest.approx(np.sqrt(2 / np.pi), rel=0.05)


def test_many_entries_do_not_stop_it():
    """With nothing to correct every step is taken in a thousand dimensions as in one."""
    sample, found = walk(lambda z: np.zeros(len(z)), 1000, 200, seed=1, chains=8, steps=400)
    assert found["taken"] == 1.0
    assert sample.std() == pytest.approx(1.0, rel=0.1)


def test_a_seed_gives_the_same_draws():
    one, two, other = (walk(lambda z: (z**2).sum(axis=1), 2, 50, seed=s, chains=4, steps=60)[0] for s in (1, 1, 2))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
