"""The arranger: new parts from the song’s own chords, form and melody; needs no weights."""
