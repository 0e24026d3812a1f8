"""Task `crt_response`: deep features of phase polar maps and their honest value."""
