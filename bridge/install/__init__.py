"""What is put onto the user's machine, and whether it is all there."""
