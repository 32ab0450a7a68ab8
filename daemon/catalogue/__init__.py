"""daemon.catalogue."""
