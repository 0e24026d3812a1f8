"""Whole screens of scanners: the picture amid all that is printed around it, and over it."""
