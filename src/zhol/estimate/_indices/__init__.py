"""Summary indices of a migration system: one family a file, all over the last two axes of an array of flows."""
