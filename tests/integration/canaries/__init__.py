"""Words planted in recordings, names and tables, and the commands that must not repeat them."""
