"""A map of OpenStreetMap under everything else, by one click and after consent: the one thing of this plugin that has QGIS ask a server for pictures."""

from __future__ import annotations

import configparser
from typing import Any
from urllib.parse import quote

from qgis.core import Qgis, QgsLayerTreeLayer, QgsProject, QgsRasterLayer, QgsSettings
from qgis.PyQt.QtWidgets import QMessageBox

from .. import settings
from ..places import METADATA
from ..translation import mark, tr

TITLE = mark("Add base map")
LAYER = "OpenStreetMap"
HOST = "tile.openstreetmap.org"
ATTRIBUTION = "© OpenStreetMap contributors"
CONSENT = "vidtag/base_map_consent"
PROPERTY = "vidtag/base_map"
QUESTION = mark(
    "A base map shows streets and names under your results. QGIS then fetches pictures from {host}, a server of the OpenStreetMap Foundation, each "
    "time that you move the map.\n\nThe server learns your computer's address and which part of the map you look at, and so where you search. "
    "Nothing of your videos or results is sent.\n\nAdd it? You are asked this once."
)
OFFLINE = mark(
    "VidTAG works offline, so no map is fetched: add one that lies on this machine, such as an MBTiles file, by Layer > Add Layer."
)


def add_base_map(iface: Any) -> bool:
    """Add the base map below the project's layers; returns whether it is there now. Asks for consent where none was given yet."""
    bar, project = iface.messageBar(), QgsProject.instance()
    if settings.offline():
        bar.pushMessage(tr(TITLE), tr(OFFLINE), Qgis.MessageLevel.Warning)
        return False
    if any(layer.customProperty(PROPERTY) for layer in project.mapLayers().values()):
        bar.pushMessage(tr(TITLE), tr("The project has it already: the layer {layer}.", layer=LAYER), Qgis.MessageLevel.Info)
        return True
    if not has_consent() and not _ask(iface):
        return False
    layer = QgsRasterLayer(address(), LAYER, "wms")
    if not layer.isValid():
        bar.pushMessage(tr(TITLE), tr("This QGIS cannot show such maps: its provider 'wms' is missing."), Qgis.MessageLevel.Warning)
        return False
    # From 3.38 on it belongs to what a server tells of the layer, and the old way is deprecated.
    told = layer if hasattr(layer, "setAttribution") else layer.serverProperties()
    told.setAttribution(ATTRIBUTION)
    told.setAttributionUrl("https://www.openstreetmap.org/copyright")
    metadata = layer.metadata()
    metadata.setRights([ATTRIBUTION])
    layer.setMetadata(metadata)
    layer.setCustomProperty(PROPERTY, True)
    project.addMapLayer(layer, False)
    project.layerTreeRoot().insertChildNode(-1, QgsLayerTreeLayer(layer))
    return True


def address() -> str:
    """What QGIS is told of the map. The server wants to know who asks: QGIS names itself, and the plugin's page stands as the referer."""
    tiles = quote(f"https://{HOST}/{{z}}/{{x}}/{{y}}.png", safe=":/{}")
    # QGIS before 3.26 knows the first name, later ones the second.
    return f"type=xyz&url={tiles}&zmin=0&zmax=19&referer={_homepage()}&http-header:referer={_homepage()}"


def has_consent() -> bool:
    """Whether the user has agreed, in this profile."""
    return str(QgsSettings().value(CONSENT, "")).lower() == "true"


def _ask(iface: Any) -> bool:
    agreed = bool(QMessageBox.question(iface.mainWindow(), tr(TITLE), tr(QUESTION, host=HOST)) == QMessageBox.StandardButton.Yes)
    if agreed:
        QgsSettings().setValue(CONSENT, True)
    return agreed


def _homepage() -> str:
    described = configparser.ConfigParser(interpolation=None)
    described.read(METADATA, encoding="utf-8")
    return described.get("general", "homepage", fallback="")
