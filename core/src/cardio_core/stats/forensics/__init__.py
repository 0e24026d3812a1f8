"""Arithmetic that published numbers must obey, and a runner that checks a list of them."""
