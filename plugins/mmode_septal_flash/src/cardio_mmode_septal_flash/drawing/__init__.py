"""Figures of studies and of what heat maps are worth."""
