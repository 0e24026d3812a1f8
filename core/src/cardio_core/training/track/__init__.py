"""Watching a training from outside."""
