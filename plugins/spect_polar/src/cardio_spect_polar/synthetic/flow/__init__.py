"""The cohort of PET flow maps."""
