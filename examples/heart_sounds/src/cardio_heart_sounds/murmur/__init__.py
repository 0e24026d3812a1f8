"""The task `murmur`: one file a hook, each named after it."""
