"""Prediction sets and intervals from out-of-fold scores, and what they cover."""
