"""A platform's token, as QGIS keeps it: in its encrypted store of authentication configurations, and nowhere else."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsAuthMethodConfig

from .translation import mark, tr

METHODS = {"Basic": mark("Basic authentication"), "APIHeader": mark("API Header")}
"""Kinds of configurations that hold a token: the password of the first, the header of the second, which QGIS before 3.24 does not offer."""
_SCHEMES = ("oauth ", "bearer ")


class TokenError(ValueError):
    """There is no token to be had; the message says why and what to do, and never has a token in it."""


def check_stored(configuration: str, platform: str) -> None:
    """Raise TokenError where no such authentication configuration is stored. Nothing is decrypted, and nobody is asked for a password.

    Args:
        configuration: its id.
        platform: what the token is for, for people.
    """
    if not configuration:
        raise TokenError(
            tr(
                "{platform} asks for a token of your own: store it under Settings > Options > Authentication as the password of a "
                "configuration 'Basic authentication' (or as an 'API Header'), and choose that.",
                platform=platform,
            )
        )
    # What is given is not repeated: it might be the token.
    if configuration not in QgsApplication.authManager().configIds():
        raise TokenError(
            tr(
                "The authentication configuration for {platform} is not stored in this QGIS profile: give its id of seven signs, never the "
                "token.",
                platform=platform,
            )
        )


def stored_token(configuration: str, platform: str) -> str:
    """The token of an authentication configuration. In the main thread: a QGIS with windows asks for the master password where it was not given yet.

    Arguments and errors as of :func:`check_stored`; besides, it cannot be decrypted, or holds no token.
    """
    check_stored(configuration, platform)
    manager = QgsApplication.authManager()
    if not manager.masterPasswordIsSet() and not _with_windows():
        raise TokenError(
            tr(
                "The token for {platform} cannot be decrypted without QGIS's master password: set QGIS_AUTH_PASSWORD_FILE to a file that "
                "holds it.",
                platform=platform,
            )
        )
    found = QgsAuthMethodConfig()
    if not manager.loadAuthenticationConfig(configuration, found, True)[0]:
        raise TokenError(
            tr("The token for {platform} could not be decrypted: give QGIS's master password, and run it again.", platform=platform)
        )
    if found.method() not in METHODS:
        raise TokenError(
            tr(
                "The authentication configuration for {platform} is none of these: {names}. Store the token as one.",
                platform=platform,
                names=", ".join(tr(name) for name in METHODS.values()),
            )
        )
    token = _token_in(found)
    if not token or not token.isascii() or not token.isprintable():
        raise TokenError(
            tr(
                "The authentication configuration for {platform} holds no token: store it as the password, or as the header's value.",
                platform=platform,
            )
        )
    return token


def _token_in(found: QgsAuthMethodConfig) -> str:
    """The password, or the header's value; of several headers that named Authorization."""
    values = found.configMap()
    if found.method() == "Basic":
        return str(values.get("password", "")).strip()
    named = [value for name, value in values.items() if name.lower() == "authorization"]
    value = str(next(iter(named or values.values()), "")).strip() if named or len(values) == 1 else ""
    return next((value[len(scheme) :].strip() for scheme in _SCHEMES if value.lower().startswith(scheme)), value)


def _with_windows() -> bool:
    from qgis import utils

    return utils.iface is not None
