"""The web page: what technicians, scan operators and central IT see in a browser. Loaded with the first look at it."""
