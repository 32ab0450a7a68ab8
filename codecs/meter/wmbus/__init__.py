"""Wireless M-Bus above the frame: addresses, security, compact frames, and a telegram's values.

The EN standards that the modules name were not at hand: see torhaus.codecs.meter.mbus.
"""
