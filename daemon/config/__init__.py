"""daemon/config: TOML files to frozen structs, every fault with file, line and key."""
