"""Tests it: laws that must hold, backtests on history, comparison of versions."""
