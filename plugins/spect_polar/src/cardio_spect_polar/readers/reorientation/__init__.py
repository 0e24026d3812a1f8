"""Slices along the axes of the body, turned to the short axis."""
