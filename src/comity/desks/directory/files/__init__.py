"""Directories as files: read into what a contact says, and written from it."""
