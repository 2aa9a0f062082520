"""Where the shape of a camera's way fits a road network (Brubaker, Geiger and Urtasun 2013, "Lost!")."""
