"""What both families take: the recordings behind an input, and settings of the same meaning."""
