"""Serves a model: HTTP and WebSocket API, live page, and Streamlit app."""
