"""What torhaus is compared with."""
