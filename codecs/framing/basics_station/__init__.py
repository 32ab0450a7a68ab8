"""LoRa Basics Station: what a gateway and its network server (LNS) or update server (CUPS) say to each other. Pure.

Sources: the LNS and CUPS protocol pages of LoRa Basics Station's documentation ("The LNS Protocol", "The CUPS
Protocol", station 2.0.6), and the behaviour of lorabasics/basicstation at ba4f85d, which the tests talk to when it is
there. Named by direction: `upward` comes from a station, `downward` goes to it.
"""
