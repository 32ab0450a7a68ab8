"""daemon/scans."""
