"""Logistic regression, its tables and tests, and differences of risk."""
