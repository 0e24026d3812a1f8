"""An entry point whose module does not say what it is."""
