"""Extensible metadata (XMP): which fields programs read, packets, and how ours are merged into them. Pure."""
