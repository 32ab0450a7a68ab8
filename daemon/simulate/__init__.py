"""daemon/simulate."""
