"""The store on an SQL database: SQLite now, with SQL that a second database can take over."""

from comity.adapters.sql.store import SQLStore, open_store

__all__ = ["SQLStore", "open_store"]
