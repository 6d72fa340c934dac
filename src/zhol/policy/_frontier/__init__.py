"""Parts of the search for trade-offs: what may be done, what it does, the search, the knees, the picture."""
