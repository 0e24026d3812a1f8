"""Whether predicted probabilities come true."""
