"""The final models of a run without any patient, for others to use."""
