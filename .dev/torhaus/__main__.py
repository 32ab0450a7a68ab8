"""`python -m torhaus`."""

import sys

from torhaus.daemon.main import main

sys.exit(main())
