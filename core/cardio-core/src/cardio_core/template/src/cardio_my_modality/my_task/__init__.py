"""The task `my_task`: one file a hook, each named after it."""
