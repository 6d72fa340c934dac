"""What stands behind ``zhol.trust.check``: runs of a model under one lever at a time, and what must hold of them."""
