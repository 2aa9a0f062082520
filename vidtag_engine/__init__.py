"""Where was this video taken, and along which way: the engine behind VidTAG for QGIS."""

__version__ = "0.1.0"
