"""codecs/payload."""
