"""Tempo maps: seconds, beats, bars and ticks, both ways."""
