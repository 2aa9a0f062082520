"""``python -m vidtag_engine`` is the command ``vidtag``."""

from .cli import main

main()
