"""talker: a talking-head video editor on an instruction-edited radiance field."""

__version__ = "0.1.0"
