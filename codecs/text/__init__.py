"""Devices that speak in lines of text, or in short frames of a fixed length."""
