"""Plugins that are broken in one way each; the rest of them is the toy's."""
