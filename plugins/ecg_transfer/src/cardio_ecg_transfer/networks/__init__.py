"""The networks of this plugin, and what they are trained with."""
