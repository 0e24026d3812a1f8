"""Cohort tables and folders in EchoNet's layout, read to studies."""
