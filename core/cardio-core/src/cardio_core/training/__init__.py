"""The training engine that all plugins share."""
