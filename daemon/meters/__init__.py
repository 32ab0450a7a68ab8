"""What the daemon makes of meters' readings: consumption of counters, exchanges of meters."""
