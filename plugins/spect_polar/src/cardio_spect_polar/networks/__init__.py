"""Torch modules: two autoencoders of phase maps, and a residual network for maps of flow."""
