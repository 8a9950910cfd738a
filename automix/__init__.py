"""Automatic mixing of music: methods write plans, consoles turn plans into sound."""

from automix.version import __version__

__all__ = ["__version__"]
