"""Names of places and the ground that belongs to a city, from packages alone: nothing is fetched, and nothing here knows torch."""

from .cells import city_cells
from .gazetteer import Place, built_up_radius_m, cities_at, places_at
from .ground import ground_about

__all__ = ["Place", "built_up_radius_m", "cities_at", "city_cells", "ground_about", "places_at"]
