"""What many looks do to a result: many tests, many columns, and models that saw their patients."""
