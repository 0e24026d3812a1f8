"""What `evaluate` adds for `crt_response`, table by table."""
