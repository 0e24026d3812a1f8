"""Exported networks as ONNX files, checked against torch."""
