"""What stands behind ``zhol.trust.compare_versions``: random scenarios and what is kept of them."""
