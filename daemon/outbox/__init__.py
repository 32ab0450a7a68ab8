"""daemon/outbox."""
