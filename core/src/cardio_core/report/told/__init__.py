"""What the report page tells in words: the answer, the flow of patients, methods, limits."""
