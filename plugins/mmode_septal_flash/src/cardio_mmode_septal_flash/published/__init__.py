"""The paper beside a run, and its own arithmetic."""
