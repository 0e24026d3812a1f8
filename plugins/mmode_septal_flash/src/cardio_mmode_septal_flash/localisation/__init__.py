"""Where a heat map lies in time and along the scan line, and what that is worth."""
