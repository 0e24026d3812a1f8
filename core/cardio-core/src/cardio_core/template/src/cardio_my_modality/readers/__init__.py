"""Files, read into the types of this plugin."""
