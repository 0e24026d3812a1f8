"""Commands on finished runs and on predictions: judged, compared, fused, fitted again."""
