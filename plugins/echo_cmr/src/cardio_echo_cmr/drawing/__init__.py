"""Figures of a cohort's results."""
