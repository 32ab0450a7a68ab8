"""Drivers: touch a device or a socket on the site side and yield frames. They never log and never count."""
