"""One recipe an action: each composes stages and reads top to bottom."""
