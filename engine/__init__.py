"""NRX engine: music only. Arrays in, arrays out; it knows no job, no network and no DAW."""

__version__ = "0.1.0"
