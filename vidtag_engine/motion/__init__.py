"""How a camera moved, whatever it saw: turns, stops and relative speeds, from the pictures themselves or from a track of sensors."""

from .record import Motion

__all__ = ["Motion"]
