"""What is kept: articles, their claims and speakers, and batches, in SQLite or PostgreSQL."""

from service.store import batches as batches  # its tables belong to those of tables.Base
