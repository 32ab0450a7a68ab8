"""The rooms of the server for LoRa Basics Station: who may connect, the sessions, the way down, updates."""
