"""`cardio data check`: everything that is wrong with a cohort, told before a run."""
