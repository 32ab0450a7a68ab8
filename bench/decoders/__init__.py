"""bench.decoders."""
