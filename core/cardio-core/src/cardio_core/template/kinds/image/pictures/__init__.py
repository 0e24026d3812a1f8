"""Pictures: the science of the plugin, fitted on nobody."""
