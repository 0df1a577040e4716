"""Tracks as a DAW's own project describes them: clips on a timeline, read and rebuilt without the DAW."""
