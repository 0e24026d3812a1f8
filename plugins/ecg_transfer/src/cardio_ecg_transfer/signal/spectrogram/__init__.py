"""Spectrograms of beats, each by itself or beside its own recording."""
