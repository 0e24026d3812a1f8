"""The tasks on whole recordings."""
