"""MusicConnect without HTTP and without ffmpeg: the product's rules, data and durable work."""

from appliance.hookspecs import hookimpl

__all__ = ["__version__", "hookimpl"]

__version__ = "0.1.0"
