"""The tasks on single beats."""
