"""The use cases: settings, store and plugins wired together, one function each. The CLI calls these and prints."""

from tigertag.app.context import App
from tigertag.app.scanning import EngineLine, ScanOrder, ScanReport, forecast, scan

__all__ = ["App", "EngineLine", "ScanOrder", "ScanReport", "forecast", "scan"]
