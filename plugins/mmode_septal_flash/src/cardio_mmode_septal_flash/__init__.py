"""Anatomical M-modes from apical echo loops, septal flash, and where it is."""
