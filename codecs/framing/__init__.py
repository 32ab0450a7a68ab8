"""codecs/framing."""
