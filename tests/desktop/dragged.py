"""Runs in the window system: a small window whose content can be dragged with the mouse, as from a file manager.

    dragged.py WIDTH HEIGHT TYPE TEXT [TYPE TEXT ...]

It lies above all others in the screen's upper left corner. What is dragged from it is offered as each TYPE, for example
`text/uri-list file:///tmp/addon.zip`, by version 5 of XDND (freedesktop.org). It ends after one drop: with 0 where
the other window took it, 1 where it did not or nothing was dropped in time. It prints what happens.
"""

from __future__ import annotations

import select
import sys
import time
from typing import Any

from Xlib import X, Xatom, display
from Xlib.protocol import event

VERSION = 5
PATIENCE_SECONDS = 15.0


class Dragged:
    """The window, and a drag out of it."""

    def __init__(self, width: int, height: int, offers: dict[str, str]) -> None:
        self.display = display.Display()
        self.root = self.display.screen().root
        self.offers = {self.atom(kind): text.encode() for kind, text in offers.items()}
        mask = X.ButtonPressMask | X.ButtonReleaseMask | X.ButtonMotionMask
        self.window = self.root.create_window(
            0, 0, width, height, 0, X.CopyFromParent, override_redirect=True, background_pixel=0xFFCC00, event_mask=mask
        )
        self.window.change_property(self.atom("XdndTypeList"), Xatom.ATOM, 32, list(self.offers))
        self.window.map()
        self.window.configure(stack_mode=X.Above)
        self.selection = self.atom("XdndSelection")
        #: The window under the mouse that takes drops, and how many places told to it are not answered yet.
        self.target: Any = None
        self.answers_due = 0
        self.is_let_go = False
        #: Whether it was taken, once that is known.
        self.is_taken: bool | None = None

    def atom(self, name: str) -> int:
        return int(self.display.intern_atom(name))

    def run(self) -> bool:
        """Until something was dropped; returns whether it was taken."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        self.display.sync()
        print("ready", flush=True)
        while self.is_taken is None and time.monotonic() < deadline:
            if self.display.pending_events():
                self.take(self.display.next_event())
            else:
                select.select([self.display.fileno()], [], [], deadline - time.monotonic())
        if self.is_taken is None:
            print("the drag was not ended, or the drop not answered, in time", flush=True)
        return bool(self.is_taken)

    def take(self, happened: Any) -> None:
        """What the mouse or the target did."""
        if happened.type == X.ButtonPress:
            self.window.set_selection_owner(self.selection, happened.time)
        elif happened.type in (X.MotionNotify, X.ButtonRelease):
            self.move(happened.root_x, happened.root_y, happened.time)
            self.is_let_go = happened.type == X.ButtonRelease
            if self.is_let_go and self.target is None:
                print("let go where nothing takes drops", flush=True)
                self.is_taken = False
        elif happened.type == X.SelectionRequest:
            self.hand_over(happened)
        elif happened.type == X.ClientMessage and happened.client_type == self.atom("XdndStatus"):
            self.answers_due -= 1
            if self.is_let_go and self.answers_due == 0:
                self.drop(is_welcome=bool(happened.data[1][1] & 1))
        elif happened.type == X.ClientMessage and happened.client_type == self.atom("XdndFinished"):
            self.is_taken = True

    def move(self, x: int, y: int, when: int) -> None:
        """Tell the window under the mouse that the drag is over it."""
        found = self.below(x, y)
        if found != self.target:
            if self.target is not None:
                self.tell("XdndLeave", 0, 0, 0, 0)
            self.target, self.answers_due = found, 0
            if found is not None:
                first = [*self.offers, 0, 0, 0][:3]
                self.tell("XdndEnter", VERSION << 24 | (len(self.offers) > 3), *first)
        if self.target is not None:
            self.tell("XdndPosition", 0, x << 16 | y, when, self.atom("XdndActionCopy"))
            self.answers_due += 1

    def drop(self, *, is_welcome: bool) -> None:
        """Let it drop where the last answer allows that."""
        print("dropped" if is_welcome else "not welcome there", flush=True)
        self.tell("XdndDrop" if is_welcome else "XdndLeave", 0, X.CurrentTime, 0, 0)
        if not is_welcome:
            self.is_taken = False

    def hand_over(self, request: event.SelectionRequest) -> None:
        """Give the text in the type that was chosen."""
        print(f"asked for {self.display.get_atom_name(request.target)}", flush=True)
        answer = event.SelectionNotify(
            time=request.time, requestor=request.requestor, selection=request.selection, target=request.target,
            property=request.property if request.target in self.offers else X.NONE,
        )  # fmt: skip
        if request.target in self.offers:
            request.requestor.change_property(request.property, request.target, 8, self.offers[request.target])
        request.requestor.send_event(answer)
        self.display.flush()

    def below(self, x: int, y: int) -> Any:
        """The window at a place that takes drops, or None."""
        window = self.root
        while True:
            window = window.translate_coords(self.root, x, y).child
            if window in (X.NONE, self.window):
                return None
            if window.get_full_property(self.atom("XdndAware"), X.AnyPropertyType) is not None:
                return window

    def tell(self, kind: str, *values: int) -> None:
        """Send the target one of the protocol's messages."""
        data = (32, [self.window.id, *values])
        self.target.send_event(event.ClientMessage(window=self.target, client_type=self.atom(kind), data=data))
        self.display.flush()


if __name__ == "__main__":
    width, height, *rest = sys.argv[1:]
    sys.exit(0 if Dragged(int(width), int(height), dict(zip(rest[::2], rest[1::2], strict=True))).run() else 1)
