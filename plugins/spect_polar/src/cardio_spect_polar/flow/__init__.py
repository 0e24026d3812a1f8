"""Tasks `mfr` and `risk_factor`: two-step transfer on perfusion polar maps."""
