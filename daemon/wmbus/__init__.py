"""Wireless meters: whose telegrams are kept, what they mean under the site's keys, and who else is heard."""
