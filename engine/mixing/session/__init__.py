"""The session: everything that a mix is made of, as a person reads and changes it, and its file `mix.yaml`."""

from engine.mixing.session.file import read_session, session_text, write_session
from engine.mixing.session.strips import (
    STAGES,
    Bus,
    ChannelStrip,
    Compressor,
    Duck,
    EqBand,
    MixSession,
    Parallel,
    Plugin,
    Send,
)

__all__ = [
    "STAGES",
    "Bus",
    "ChannelStrip",
    "Compressor",
    "Duck",
    "EqBand",
    "MixSession",
    "Parallel",
    "Plugin",
    "Send",
    "read_session",
    "session_text",
    "write_session",
]
