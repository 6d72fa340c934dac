"""Holds it: region packs, validated on load, each row with its source."""
