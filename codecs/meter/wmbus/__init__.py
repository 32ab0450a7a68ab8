"""Wireless M-Bus above the frame: addresses, security, compact frames, and a telegram's values."""
