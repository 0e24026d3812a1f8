"""Bootstrap of rows and of clusters of rows."""
