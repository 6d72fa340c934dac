"""Fetches it: one file a publisher, from its own format to rows of the pack."""
