"""Before anything is fitted: features, truth, split plans, and the earlier tasks."""
