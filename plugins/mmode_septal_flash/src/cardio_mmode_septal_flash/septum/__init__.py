"""Septum: sixty-two points from a file, or found by ridge and motion."""
