"""M-Bus application layer (EN 13757-3): records, tables of their meaning, values.

The standards that the modules name are sold, and their text was not at hand. What they say is taken from what open
programs know of them (libmbus, wmbusmeters) and was tried on those programs' telegrams.
"""
