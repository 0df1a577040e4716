"""How lines end in a settings file of another program, so that what is added there ends as the rest does."""


def line_end(text: bytes, *, when_empty: bytes = b"\n") -> bytes:
    """Return the end of a line as the file has it; `when_empty` where there is no file yet."""
    if not text:
        return when_empty
    return b"\r\n" if b"\r\n" in text else b"\n"
