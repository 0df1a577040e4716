"""The role of a file that a mix or a master is to sound like; no stem."""

REFERENCE_ROLE = "reference"
