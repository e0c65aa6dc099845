"""What can be wrong with a selection; the fault is in the plug-in or in how it was named."""


class BadImplementation(Exception):
    """What was selected cannot be tested; the message says what, where, and what would be right."""


class UnknownImplementation(BadImplementation):
    """Nothing has the name that was asked for."""
