"""Phases of the wall's curves: the first harmonic, how well it is known, the histogram."""
