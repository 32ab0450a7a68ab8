"""daemon/scripts."""
