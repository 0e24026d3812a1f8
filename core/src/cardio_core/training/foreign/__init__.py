"""Weights that others trained: converted from their files, and copied into a network."""
