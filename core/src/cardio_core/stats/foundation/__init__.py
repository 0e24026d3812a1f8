"""What every statistic builds on: checked columns, counted units, intervals, printed numbers."""
