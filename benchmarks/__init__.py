"""What TigerTag costs in time, requests and memory: measured here, not asserted by tests."""
