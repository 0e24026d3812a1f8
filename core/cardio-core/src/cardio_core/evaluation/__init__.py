"""From out-of-fold predictions to judged ones: matching, deciding, aggregating, evaluating."""
