"""What the evaluation adds to the default: the paper's tables, figures and intervals."""
