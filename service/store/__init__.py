"""What is kept: articles, their claims and speakers, in SQLite or PostgreSQL."""
