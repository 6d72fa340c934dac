"""Parts of the enforcement bound: costs of roads, who travels, the exact search, the tables."""
