"""The bodies of a link, one module per kind of URL. `torhaus.drivers.link` is the door."""
