"""Parts of the test of events: what was measured, runs with and without, and effects fitted to a figure."""
