"""The pinned standard: its anchors, what it says that concerns servers, and the rules for that."""
