"""Gravity of migration: panel, terms, Poisson fit, what is identified, second step, counterfactual, priors."""
