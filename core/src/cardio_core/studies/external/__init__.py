"""External validation: a finished run on patients whom it has never seen, without any refit."""
