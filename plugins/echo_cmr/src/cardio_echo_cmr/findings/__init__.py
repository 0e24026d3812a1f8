"""What the CMR finds, told from echo loops, and the view that it starts from: the hooks."""
