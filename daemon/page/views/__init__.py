"""One module for each view; they are listed in torhaus.daemon.page.registry."""
