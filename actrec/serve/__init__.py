"""The API and the live page."""
