"""New patients through the final models of a finished run."""
