"""daemon/backup."""
