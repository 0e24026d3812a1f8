"""The paper's numbers, its own arithmetic, and a run beside them."""
