from .feedback import Feedback as Feedback
from .front_door import Area as Area
from .front_door import evaluate as evaluate
from .front_door import geolocate as geolocate
from .front_door import guess as guess
from .front_door import load as load
from .front_door import train as train
from .results import Geolocation as Geolocation
from .types import CancelledError as CancelledError
from .types import InputError as InputError
from .types import Progress as Progress
from .types import Trajectory as Trajectory
from .types import VideoResult as VideoResult

__version__: str
