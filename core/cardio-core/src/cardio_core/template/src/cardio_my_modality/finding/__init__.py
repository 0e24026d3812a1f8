"""The task `finding`: one file a hook, each named after it."""
