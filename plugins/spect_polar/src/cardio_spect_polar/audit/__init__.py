"""Whether a model treats groups of patients alike, and what other patients would change."""
