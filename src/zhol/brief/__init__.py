"""Says it: composes what the other rooms found into a brief."""
