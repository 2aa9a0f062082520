"""Windows of the plugin. Imported only where there is a QGIS desktop: never by the provider or an algorithm, which also run without a screen."""
