"""The NATS client protocol, as far as torhaus speaks it: JetStream publishing, and orders that come back."""
