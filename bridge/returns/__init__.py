"""What a job gives back: written in a staging folder, published whole by one rename."""
