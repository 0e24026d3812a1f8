"""The HTML report of a run, and the figures in it."""
