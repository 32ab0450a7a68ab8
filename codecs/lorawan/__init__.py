"""LoRaWAN 1.0.x and 1.1 at the MAC layer: frames, integrity, encryption, counters, sessions.

Sources: LoRaWAN Specification 1.0.3 and 1.1 (LoRa Alliance), TS001-1.0.4, the 1.1 errata "FOpts encryption, usage of
FCntDwn" and RP002-1.0.4 (regional parameters). All numbers on air are little-endian; addresses and EUIs are plain
integers here.

`vectors.jsonl` holds the golden vectors: one JSON object a line with its `source` and `licence`. Sources are the
tests of anthonykirby/lora-packet at 33ab161 (MIT), of brocaar/lorawan at a18a103 (MIT), and vectors computed for
torhaus (own work).
"""
