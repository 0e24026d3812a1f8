"""What the papers printed, recomputed; and their tables for any patients."""
