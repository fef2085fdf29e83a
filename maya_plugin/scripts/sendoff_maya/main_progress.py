"""Maya's main progress bar for what keeps the artist waiting: the export, which Esc stops between two steps."""

from __future__ import annotations

from types import TracebackType

from maya import cmds, mel

from .interactive import is_interactive
from .sendoff.host.submitting import ExportStopped


class MainProgress:
    """The main progress bar for the length of a `with` block; nothing is drawn where there is no window.

    Args:
        steps: How many there will be.
        text: What is done, for the help line.
    """

    def __init__(self, steps: int, text: str) -> None:
        self._steps = max(1, steps)
        self._text = text
        self._bar = ""

    def __enter__(self) -> MainProgress:
        if is_interactive():
            self._bar = str(mel.eval("global string $gMainProgressBar; $sendoffTemporary = $gMainProgressBar;"))
            cmds.progressBar(
                self._bar,
                edit=True,
                beginProgress=True,
                isInterruptable=True,
                status=self._text,
                minValue=0,
                maxValue=self._steps,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            cmds.progressBar(self._bar, edit=True, endProgress=True)

    def step(self, text: str, *, by: int = 1) -> None:
        """Go on and say what comes now. Raises ExportStopped where the artist pressed Esc."""
        if not self._bar:
            return
        if cmds.progressBar(self._bar, query=True, isCancelled=True):
            raise ExportStopped("It was stopped before anything was sent.")
        cmds.progressBar(self._bar, edit=True, step=by, status=text)
