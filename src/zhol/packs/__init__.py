"""Data that ships with the package: shared rows and region packs."""
