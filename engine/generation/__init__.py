"""Backends that make new parts for a song."""
