"""Separation without weights, by masks on the short-time spectrum. The way in is `backend.SpectralSeparator`."""
