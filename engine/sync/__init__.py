"""Time and pitch: fits audio to a tempo map."""
