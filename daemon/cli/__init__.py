"""daemon/cli."""
