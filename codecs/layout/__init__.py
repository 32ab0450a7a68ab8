"""Payloads declared instead of programmed: fields at places, messages by condition, rows of tagged values."""
