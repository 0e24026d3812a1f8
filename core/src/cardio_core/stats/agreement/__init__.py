"""Measured numbers compared with measured or predicted ones."""
