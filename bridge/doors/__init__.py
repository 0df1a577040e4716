"""Ways in: each turns what it gets into a `Request`, and nothing else."""
