"""daemon/demo."""
