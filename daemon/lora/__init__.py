"""LoRa on the daemon's side: whose frame is it, which gateways are there, what goes back down."""
