"""The synthetic twins: gated left ventricles and flow maps with known truth."""
