"""Tempo, beats, downbeats, metre, key, chords, sections, energy, brightness and melody of a song."""
