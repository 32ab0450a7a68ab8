"""MQTT: the wire, a small MQTT 5 client session, topics and reason codes."""
