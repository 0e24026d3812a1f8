"""Codes of phase maps: vectors, linear and published codes, their files and their stability."""
