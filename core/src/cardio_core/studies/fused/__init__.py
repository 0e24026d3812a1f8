"""Late fusion of finished runs: a run of runs, whose weights come from out-of-fold predictions."""
