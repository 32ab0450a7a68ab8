"""Cover sheets: printed here, laid on top of what is scanned, and read again."""
