"""What the tables say is there: targets, cut-offs, and which models they can support."""
