"""Decisions counted: proportions, two-by-two tables, classes, thresholds and net benefit."""
