"""OSC over UDP on loopback: the fast way in for Max for Live, Ardour and anything that speaks OSC.

`addresses` is the one table of messages; the server (`door`), the client (`client`), the page `docs/osc.md` and the
tests derive from it. `packet` reads datagrams within bounds, `limits` says how many are read.
"""

from bridge.doors.osc.client import OscClient
from bridge.doors.osc.door import OscDoor

__all__ = ["OscClient", "OscDoor"]
