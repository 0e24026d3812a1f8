"""What is known of the patients: Table 1, covariates of one's own, subgroups, clinical model."""
