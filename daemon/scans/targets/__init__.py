"""Scan targets: one module each."""
