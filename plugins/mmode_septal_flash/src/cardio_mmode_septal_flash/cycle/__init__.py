"""One cardiac cycle of a loop."""
