"""Inside of ``zhol.estimate.registers``: the power-law count model, its input, its intervals."""
