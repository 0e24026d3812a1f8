"""The wall sampled over the cycle, and what can be said of the study before any phase."""
