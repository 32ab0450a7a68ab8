"""codecs/lorawan."""
