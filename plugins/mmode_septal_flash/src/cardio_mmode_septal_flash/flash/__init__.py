"""Septal flash and its pretraining on phantoms: the hooks of both tasks."""
