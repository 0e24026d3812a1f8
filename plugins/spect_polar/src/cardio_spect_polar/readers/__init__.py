"""Readers: files to gated stacks and polar maps, each with the errors of its format."""
