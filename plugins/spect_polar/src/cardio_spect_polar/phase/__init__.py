"""Phase analysis: from a gated short-axis stack to the sampled wall, its phases and indices."""
