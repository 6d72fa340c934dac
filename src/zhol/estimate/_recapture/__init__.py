"""Inside of ``zhol.estimate.counts``: models of one list with repeated captures."""
