"""Twins of the toy plugin, each broken in one way."""
