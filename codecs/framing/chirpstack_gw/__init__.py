"""ChirpStack gateway API, version 4 (chirpstack/api/proto/gw/gw.proto): what gateways and a network server say.

`messages.py` is the one description of every message: names, numbers, types and bounds. `as_json.py` and
`as_protobuf.py` turn them to bytes and back from that description; only the second needs the library protobuf (extra
`chirpstack`), and loads it when it is first used. `uplink.py`, `downlink.py` and `stats.py` turn messages into
torhaus's own words (torhaus.codecs.model, torhaus.codecs.lorawan.downlink) and back.
"""
