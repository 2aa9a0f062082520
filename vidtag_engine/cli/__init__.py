"""The command line: a thin face over ``commands`` and the public API."""

from .app import app, main

__all__ = ["app", "main"]
