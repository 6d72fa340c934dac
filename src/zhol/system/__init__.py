"""Moves people: the stock-flow model of a region, its calibration and its runs."""
