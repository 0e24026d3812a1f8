"""Classifiers with something to choose, and how it is chosen among the training patients."""
