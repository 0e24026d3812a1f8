"""Files of the toy, read into its own type."""
