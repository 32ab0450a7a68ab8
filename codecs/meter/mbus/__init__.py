"""M-Bus application layer (EN 13757-3): records, tables of their meaning, values."""
