"""What the worker and the command line do besides geolocating, one file a command: typed arguments in, plain JSON values out."""
