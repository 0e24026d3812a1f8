"""Findings in pulse traces, as a plugin of cardio."""
