"""Streams: audio that leaves while it is made, in sessions that share worker processes of their own.

`streams.Streams` is what doors use: it opens sessions. `worker` makes the audio of several sessions in one process,
with fair shares; `keeping` writes one into a file that grows and becomes a return.
"""
