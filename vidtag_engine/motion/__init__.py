"""How a camera moved, whatever it saw: turns, stops and relative speeds, from the pictures themselves or from a track of sensors."""

from .odometry import video_motion
from .record import Motion
from .track import read_motion

__all__ = ["Motion", "read_motion", "video_motion"]
