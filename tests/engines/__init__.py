"""Engines, each against its stand-in and the contract that all of them keep."""
