"""Audio that leaves while it is made.

A source is an `AudioStream`: an iterator of float32 chunks. `arranger` plays an arrangement block by block, `musicgen`
decodes what a language model has written so far, window by window. Both give what the same source gives offline, up to
what their modules say. Names are loaded when first used.
"""
