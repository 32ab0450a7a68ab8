"""daemon/forward."""
