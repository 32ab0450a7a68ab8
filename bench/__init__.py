"""Measurements: `make bench`. Load generators run in processes of their own, against the real daemon and real peers."""
