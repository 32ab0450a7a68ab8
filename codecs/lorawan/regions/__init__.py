"""The tables of the regional parameters, one module for each kind of channel plan. `region.py` beside it reads them."""
