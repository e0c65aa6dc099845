"""The console that commands print to."""

from rich.console import Console


class PipedConsole(Console):
    """A console that leaves a broken pipe to whoever runs the command."""

    def on_broken_pipe(self) -> None:
        """Raise it again."""
        raise  # noqa: PLE0704 - within the handler of rich
