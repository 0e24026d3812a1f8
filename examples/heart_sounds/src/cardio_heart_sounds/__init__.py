"""Murmurs in heart sounds (phonocardiograms), as a plugin of cardio."""
