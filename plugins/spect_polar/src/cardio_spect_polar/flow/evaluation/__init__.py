"""What `evaluate` adds for `risk_factor`: the comparison and its figures."""
