"""Built-in instruments in numpy: notes in, sound out."""
