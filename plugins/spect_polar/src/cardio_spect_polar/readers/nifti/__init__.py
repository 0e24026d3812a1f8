"""NIfTI volumes: which is which gate, axis and distance."""
