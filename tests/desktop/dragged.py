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
PATIENCE_SECONDS = 60.0


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
        #: The window under the mouse that takes drops; whether it would take this one; the last place told to it.
        self.target: Any = None
        self.is_welcome = self.is_answer_due = False
        self.place: tuple[int, int] | None = None
        #: The mouse was let go: the drop is sent once the last place was answered.
        self.is_let_go = False

    def atom(self, name: str) -> int:
        return int(self.display.intern_atom(name))

    def run(self) -> bool:
        """Until something was dropped; returns whether it was taken."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        self.display.sync()
        print("ready", flush=True)
        while time.monotonic() < deadline:
            if not self.display.pending_events():
                select.select([self.display.fileno()], [], [], deadline - time.monotonic())
                continue
            happened = self.display.next_event()
            if happened.type == X.ButtonPress:
                self.window.set_selection_owner(self.selection, happened.time)
                print("pressed", flush=True)
            elif happened.type in (X.MotionNotify, X.ButtonRelease):
                self.move(happened.root_x, happened.root_y, happened.time)
                if happened.type == X.ButtonRelease:
                    if self.target is None:
                        print("let go over nothing that takes drops", flush=True)
                        return False
                    self.is_let_go = True
                    self.drop_when_answered(happened.time)
            elif happened.type == X.SelectionRequest:
                self.hand_over(happened)
            elif happened.type == X.ClientMessage:
                if happened.client_type == self.atom("XdndStatus"):
                    self.is_answer_due, self.is_welcome = False, bool(happened.data[1][1] & 1)
                    print(f"status: {'welcome' if self.is_welcome else 'not welcome'}", flush=True)
                    if self.is_let_go and not self.drop_when_answered(X.CurrentTime):
                        return False
                elif happened.client_type == self.atom("XdndFinished"):
                    print("finished", flush=True)
                    return True
        print("nothing more happened", flush=True)
        return False

    def move(self, x: int, y: int, when: int) -> None:
        """Tell the window under the mouse that the drag is over it."""
        found = self.below(x, y)
        if found != self.target:
            if self.target is not None:
                self.tell("XdndLeave", 0, 0, 0, 0)
            self.target, self.is_welcome, self.is_answer_due = found, False, False
            if found is not None:
                first = [*self.offers, 0, 0, 0][:3]
                self.tell("XdndEnter", VERSION << 24 | (len(self.offers) > 3), *first)
        if self.target is not None:
            self.tell("XdndPosition", 0, x << 16 | y, when, self.atom("XdndActionCopy"))
            self.is_answer_due = True

    def drop_when_answered(self, when: int) -> bool:
        """Let it drop where that is welcome; returns False where it is not."""
        if self.is_answer_due:
            return True
        self.tell("XdndDrop" if self.is_welcome else "XdndLeave", 0, when if self.is_welcome else 0, 0, 0)
        return self.is_welcome

    def hand_over(self, request: event.SelectionRequest) -> None:
        """Give the text in the type that was chosen."""
        name = self.display.get_atom_name(request.target)
        print(f"asked for {name}", flush=True)
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
