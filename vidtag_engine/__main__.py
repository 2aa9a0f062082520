"""``python -m vidtag_engine`` is the command ``vidtag``."""

from .cli.app import main

main()
