"""exiftool, held open as one process and asked file by file.

with ExifTool() as tool:
    answer = tool.ask("-j", "-IPTC:all", file(path), name="Summer/x.jpg")
"""

from tigertag.exiftool.arguments import assignment, file, output_beside
from tigertag.exiftool.process import Answer, ExifTool

__all__ = ["Answer", "ExifTool", "assignment", "file", "output_beside"]
