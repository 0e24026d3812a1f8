"""What is reported of studies beyond the default: which are drawn, and AUC within a timepoint."""
