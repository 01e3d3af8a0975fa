"""The HTTP seam against a server that misbehaves."""
