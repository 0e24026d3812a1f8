"""Late fusion: several models side by side, and the weights that make one score of theirs."""
