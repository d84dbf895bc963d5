"""Databases that are reached by a URL: one way to PostgreSQL, SQLite and DuckDB, by ADBC and in Arrow."""
