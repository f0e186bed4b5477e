"""talker: a talking-head video editor on an instruction-edited radiance field."""

import os

# OpenMP's threads spin while they wait; where anything else runs on the machine, that makes fitting many times slower.
# The runtime reads this once, when torch loads it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
