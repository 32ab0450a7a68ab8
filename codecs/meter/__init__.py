"""codecs/meter."""
