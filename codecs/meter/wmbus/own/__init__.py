"""Manufacturers' own forms of telegrams. No description is published: read as open programs know them.

What is read is what several telegrams of one meter, or the meter's display beside them, have shown to be so.
"""
