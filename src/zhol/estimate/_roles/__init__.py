"""How roles of places are made: readings of who left and came, roads that people pass."""
