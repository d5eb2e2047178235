"""Reads articles: no HTTP, no database.  ``models.reader.Reader`` is the one door."""
