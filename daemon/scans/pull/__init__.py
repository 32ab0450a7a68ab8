"""Scanners that are asked for their pages: eSCL over the network, SANE at this machine."""
