"""Drawings in a page: cleaned by lists of what may stand there."""
