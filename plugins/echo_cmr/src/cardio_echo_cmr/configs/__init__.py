"""The named configurations."""
