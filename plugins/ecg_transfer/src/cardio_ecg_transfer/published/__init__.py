"""The paper's table and its arithmetic."""
