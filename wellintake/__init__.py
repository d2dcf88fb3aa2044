"""The application: introduces everybody to everybody. Settings, wiring, access, commands."""

__version__ = "0.1.0"
