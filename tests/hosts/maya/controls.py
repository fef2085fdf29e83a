"""The controls of Maya's windows: a tree with names, values and what happens on a click."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .state import State

LAYOUTS = {
    "columnLayout", "rowLayout", "rowColumnLayout", "formLayout", "frameLayout", "scrollLayout", "tabLayout",
    "shelfLayout", "shelfTabLayout", "window", "workspaceControl", "menu", "popupMenu", "optionMenuGrp", "optionMenu",
}  # fmt: skip


@dataclass
class Control:
    """One control."""

    kind: str
    name: str
    parent: Control | None = None
    children: list[Control] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its full name."""
        return f"{self.parent.path}|{self.name}" if self.parent is not None else self.name

    def below(self) -> Iterator[Control]:
        """Itself and all in it."""
        yield self
        for child in self.children:
            yield from child.below()

    @property
    def is_shown(self) -> bool:
        """Whether an artist sees it."""
        hidden = self.values.get("manage") is False or self.values.get("visible") is False
        return not hidden and (self.parent is None or self.parent.is_shown)


class Controls:
    """All of them, and the layout that new ones go into."""

    def __init__(self, run: State) -> None:
        self._run = run
        self.tops: list[Control] = []
        self.current: Control | None = None
        self._count = 0

    def make_main_window(self) -> None:
        """What is there from the start."""
        window = self.make("window", "MayaWindow", parent=None)
        form = self.make("formLayout", "helpLineForm", parent=window.path)
        self.make("helpLine", "helpLine1", parent=form.path)
        self.make("formLayout", "statusLineForm", parent=window.path)
        self.make("progressBar", "mainProgressBar", parent=window.path)
        self.make("shelfTabLayout", "ShelfLayout", parent=window.path)
        self.make("shelfLayout", "Polygons", parent="ShelfLayout")
        self.make("workspaceControl", "AttributeEditor", parent=None)
        self.current = None

    def all(self) -> Iterator[Control]:
        """Every control."""
        for top in self.tops:
            yield from top.below()

    def exists(self, name: str) -> bool:
        """Whether there is one of that name."""
        return bool(self._matching(name))

    def find(self, name: str) -> Control:
        """The one of that name or path; raises as Maya does."""
        found = self._matching(name)
        if not found:
            raise RuntimeError(f"Object '{name}' not found.")
        if len(found) > 1:
            raise RuntimeError(f"Object's name '{name}' is not unique.")
        return found[0]

    def make(self, kind: str, name: str = "", *, parent: str | None = "", **values: Any) -> Control:
        """A new control in a layout, or in the current one where the parent is ""."""
        holder: Control | None = None
        if kind not in ("window", "workspaceControl"):
            holder = self.find(parent) if parent else self.current
            if holder is None:
                raise RuntimeError(f"There is no layout to put the {kind} into: controls have to be in a layout.")
            if holder.kind not in LAYOUTS:
                raise RuntimeError(f"Object '{holder.name}' is a {holder.kind}, which holds no controls.")
            self._check_room(kind, holder)
        siblings = self.tops if holder is None else holder.children
        if name and any(one.name == name for one in siblings):
            raise RuntimeError(f"Object's name '{name}' is not unique.")
        if not name:
            self._count += 1
            name = f"{kind}{self._count}"
        made = Control(kind, name, holder, values=dict(values))
        siblings.append(made)
        if kind in LAYOUTS and kind not in ("optionMenuGrp", "optionMenu"):
            self.current = made
        if kind == "optionMenuGrp":
            made.children.append(Control("optionMenu", "OptionMenu", made))
        return made

    def delete(self, name: str) -> None:
        """Remove a control and all in it."""
        gone = self.find(name)
        (self.tops if gone.parent is None else gone.parent.children).remove(gone)
        if self.current is not None and self.current in list(gone.below()):
            self.current = None

    def click(self, name: str) -> None:
        """Click one: what it does is run as Maya runs it."""
        found = self.find(name)
        if not found.is_shown:
            raise AssertionError(f"{name} is not to be seen:\n{self.tree()}")
        if found.values.get("enable") is False:
            raise AssertionError(f"{name} is grey")
        self._run_command(found, "command", False)

    def set_value(self, name: str, value: Any) -> None:
        """Set what is in one, as an artist does; `changeCommand` is told, or `selectCommand` of a list."""
        found = self.find(name)
        if found.values.get("enable") is False:
            raise AssertionError(f"{name} is grey")
        if found.kind in ("optionMenuGrp", "optionMenu"):
            items = [item.values.get("label") for item in menu_of(found).children]
            if value not in items:
                raise AssertionError(f"{name} offers {items}, and not {value}")
            found.values["select"] = items.index(value) + 1
        elif found.kind == "textScrollList":
            found.values["selectIndexedItem"] = [found.values["items"].index(value) + 1]
            self._run_command(found, "selectCommand")
            return
        else:
            key = "text" if found.kind.startswith(("textField", "scrollField")) else "value"
            key = "value1" if found.kind in ("intFieldGrp", "floatFieldGrp") else key
            found.values[key] = value
        self._run_command(found, "changeCommand", value)

    def tree(self, root: str = "") -> str:
        """What is to be seen, as indented text."""
        lines: list[str] = []
        for top in [self.find(root)] if root else self.tops:
            self._draw(top, 0, lines)
        return "\n".join(lines)

    def ui_scripts(self) -> list[str]:
        """What makes the panels that are open anew."""
        return [top.values["uiScript"] for top in self.tops if isinstance(top.values.get("uiScript"), str)]

    def _draw(self, one: Control, depth: int, lines: list[str]) -> None:
        if not one.is_shown:
            return
        said = next((str(one.values[key]) for key in ("label", "text", "title") if one.values.get(key)), "")
        extra = "".join(f" {key}={one.values[key]!r}" for key in ("value", "progress", "select") if key in one.values)
        grey = " (grey)" if one.values.get("enable") is False else ""
        lines.append(f"{'  ' * depth}{one.kind} {one.name}: {said}{extra}{grey}")
        for child in one.children:
            self._draw(child, depth + 1, lines)

    def _matching(self, name: str) -> list[Control]:
        if "|" not in name:
            tops = [one for one in self.tops if one.name == name]
            return tops or [one for one in self.all() if one.name == name]
        return [one for one in self.all() if one.path == name or one.path.endswith(f"|{name}")]

    def _check_room(self, kind: str, holder: Control) -> None:
        if holder.kind == "rowLayout" and len(holder.children) >= int(holder.values.get("numberOfColumns", 1)):
            raise RuntimeError(f"Too many children in layout: {holder.name}")
        if holder.kind == "frameLayout" and holder.children:
            raise RuntimeError(f"A frameLayout holds one layout: {holder.name}")
        if (kind == "menuItem") != (holder.kind in ("menu", "popupMenu", "optionMenu", "optionMenuGrp")):
            raise RuntimeError(f"A {kind} cannot be put into a {holder.kind}")
        if holder.kind == "shelfLayout" and kind not in ("shelfButton", "separator"):
            raise RuntimeError("A shelf holds buttons only")

    def _run_command(self, found: Control, name: str, *values: Any) -> None:
        what = found.values.get(name)
        if what is None:
            return
        if isinstance(what, str):
            if found.values.get("sourceType", "mel") == "python":
                exec(what, {"__name__": "__main__"})
            else:
                from . import mel

                mel.eval(what)
        else:
            what(*values)


def menu_of(control: Control) -> Control:
    """The menu of a group, or the menu itself."""
    return control.children[0] if control.kind == "optionMenuGrp" else control
