"""Backends that take a mix apart into stems."""
