"""Beside a central network server: the session keys of devices whose root keys stay there."""
