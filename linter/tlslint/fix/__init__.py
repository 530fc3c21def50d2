"""From intentions to edits, and from edits to files: the only part of tlslint that writes."""
