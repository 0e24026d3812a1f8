"""Loops and drawn septa from files."""
