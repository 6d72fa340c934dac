"""Policy: instruments, scenarios, rights floors, and what they do."""
