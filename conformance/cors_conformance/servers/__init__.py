"""From an application, a URL or a process to something that answers one request at a time."""
