"""Phase polar maps from gated SPECT, and transfer on perfusion polar maps."""
