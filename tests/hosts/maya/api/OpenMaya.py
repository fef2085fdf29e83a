"""The part of Maya's Python API 2.0 that a plug-in needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .. import state
from ..file_commands import AFTER_NEW, AFTER_OPEN, BEFORE_NEW, BEFORE_OPEN, EXITING
from ..model import Mesh, Node
from ..naming import mesh_node
from ..plugin_commands import PluginObject

MObject = PluginObject


class MGlobal:
    """What is told to the artist, and what Maya this is."""

    kInteractive, kBatch, kLibraryApp, kBaseUIMode = 0, 1, 2, 3

    @staticmethod
    def displayInfo(text: str) -> None:
        """A line in the Script Editor."""
        _tell("info", text)

    @staticmethod
    def displayWarning(text: str) -> None:
        """A warning."""
        _tell("warning", text)

    @staticmethod
    def displayError(text: str) -> None:
        """An error."""
        _tell("error", text)

    @classmethod
    def mayaState(cls) -> int:
        """Whether there is a window."""
        return cls.kLibraryApp if state.now.is_batch else cls.kInteractive


def _tell(kind: str, text: str) -> None:
    state.check_thread("MGlobal")
    state.now.script_editor.append((kind, text))


@dataclass(frozen=True)
class Flag:
    """One flag of a command."""

    short: str
    long: str
    kind: int

    def read(self, word: str) -> Any:
        """A word of MEL as its value."""
        if self.kind == MSyntax.kBoolean:
            return word in ("true", "1", "on", "yes")
        if self.kind in (MSyntax.kLong, MSyntax.kUnsigned):
            return int(word)
        return float(word) if self.kind == MSyntax.kDouble else word


class MSyntax:
    """The flags of a command."""

    kInvalidArgType, kNoArg, kBoolean, kLong, kDouble, kString, kUnsigned = range(7)

    def __init__(self) -> None:
        self.flags: dict[str, Flag] = {}

    def addFlag(self, short: str, long: str, kind: int = 1) -> None:
        """A flag: its short name has at most three letters, its long one at least four."""
        short, long = short.removeprefix("-"), long.removeprefix("-")
        if not 1 <= len(short) <= 3 or len(long) < 4 or short in self.flags or long in self.flags:
            raise RuntimeError("(kInvalidParameter): Argument value is invalid")
        flag = Flag(short, long, kind)
        self.flags[short] = self.flags[long] = flag

    def check(self, name: str, value: Any) -> None:
        """Refuse a value of another type."""
        kinds = {self.kString: str, self.kBoolean: (bool, int), self.kLong: int, self.kDouble: (int, float)}
        kind = self.flags[name].kind
        if kind in kinds and not isinstance(value, kinds[kind]):  # type: ignore[arg-type]
            raise TypeError(f"Invalid arguments for flag '{name}'.")


class MArgList:
    """What a command is called with."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given


class MArgDatabase:
    """The same, read by its flags."""

    def __init__(self, syntax: MSyntax, arguments: MArgList) -> None:
        self._syntax = syntax
        self._given = arguments.given

    def isFlagSet(self, name: str) -> bool:
        """Whether a flag was given."""
        return self._syntax.flags[name.removeprefix("-")].long in self._given

    def flagArgumentString(self, name: str, index: int) -> str:
        """A text."""
        return str(self._value(name, index, MSyntax.kString))

    def flagArgumentBool(self, name: str, index: int) -> bool:
        """Yes or no."""
        return bool(self._value(name, index, MSyntax.kBoolean))

    def flagArgumentDouble(self, name: str, index: int) -> float:
        """A number."""
        return float(self._value(name, index, MSyntax.kDouble))

    def flagArgumentInt(self, name: str, index: int) -> int:
        """A whole number."""
        return int(self._value(name, index, MSyntax.kLong))

    def _value(self, name: str, index: int, kind: int) -> Any:
        flag = self._syntax.flags[name.removeprefix("-")]
        if index or flag.kind != kind or flag.long not in self._given:
            raise RuntimeError("(kInvalidParameter): Argument value is invalid")
        return self._given[flag.long]


MArgParser = MArgDatabase


class MPxCommand:
    """A command that a plug-in brings."""

    def __init__(self) -> None:
        self._syntax = MSyntax()
        self._result: Any = None

    def _begin(self, syntax: MSyntax) -> None:
        self._syntax = syntax

    def syntax(self) -> MSyntax:
        """The flags it was registered with."""
        return self._syntax

    def setResult(self, value: Any) -> None:
        """What it answers."""
        self._result = value

    def isUndoable(self) -> bool:
        """Whether an undo takes it back: by itself it does not."""
        return False

    def doIt(self, arguments: MArgList) -> None:
        """What it does."""
        raise NotImplementedError


class MFnPlugin:
    """What a plug-in registers."""

    def __init__(self, plugin: PluginObject, vendor: str = "Unknown", version: str = "Unknown") -> None:
        if not isinstance(plugin, PluginObject):
            raise TypeError("MFnPlugin takes the plug-in's MObject")
        self._loaded = state.now.loaded[plugin.name]
        if vendor != "Unknown":
            self._loaded.vendor, self._loaded.version = vendor, version

    def registerCommand(self, name: str, make: Callable[[], Any], syntax: Callable[[], MSyntax] | None = None) -> None:
        """Bring a command."""
        if not callable(make) or (syntax is not None and not callable(syntax)):
            raise TypeError("registerCommand takes the functions that make the command and its syntax")
        if name in state.now.commands:
            raise RuntimeError("(kFailure): Object does not exist")
        state.now.commands[name] = (make, syntax)

    def deregisterCommand(self, name: str) -> None:
        """Take it away."""
        if name not in state.now.commands:
            raise RuntimeError("(kFailure): Object does not exist")
        del state.now.commands[name]


class MMessage:
    """Callbacks that are registered."""

    @staticmethod
    def removeCallback(identity: int) -> None:
        """Take one away."""
        if identity not in state.now.callbacks:
            raise RuntimeError("(kInvalidParameter): Argument value is invalid")
        del state.now.callbacks[identity]


class MSceneMessage(MMessage):
    """Callbacks on the scene."""

    kBeforeNew, kAfterNew, kBeforeOpen, kAfterOpen, kMayaExiting = (
        BEFORE_NEW, AFTER_NEW, BEFORE_OPEN, AFTER_OPEN, EXITING,
    )  # fmt: skip

    @staticmethod
    def addCallback(message: int, function: Callable[..., Any], _data: Any = None) -> int:
        """Be told of something."""
        state.check_thread("MSceneMessage.addCallback")
        if not callable(function):
            raise TypeError("addCallback takes a function")
        run = state.now
        run.callbacks[run.next_callback] = (message, function)
        run.next_callback += 1
        return run.next_callback - 1


@dataclass(frozen=True)
class Point:
    """A point."""

    x: float
    y: float
    z: float

    def __iter__(self) -> Iterator[float]:
        return iter((self.x, self.y, self.z))


class MDagPath:
    """One node in the tree."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def fullPathName(self) -> str:
        """Its path."""
        return self._node.path

    def extendToShape(self) -> MDagPath:
        """The shape below it."""
        return MDagPath(mesh_node(self._node.path))


class MSelectionList:
    """Nodes by their names."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    def add(self, name: str) -> MSelectionList:
        """One more."""
        state.check_thread("MSelectionList")
        self._nodes.append(state.now.scene.one(name))
        return self

    def getDagPath(self, index: int) -> MDagPath:
        """One of them."""
        return MDagPath(self._nodes[index])


class MFnMesh:
    """A mesh."""

    def __init__(self, path: MDagPath) -> None:
        state.check_thread("MFnMesh")
        mesh = path._node.mesh
        if mesh is None:
            raise RuntimeError("(kInvalidParameter): Object is incompatible with this method")
        self._mesh: Mesh = mesh

    @property
    def numVertices(self) -> int:
        """How many points."""
        return len(self._mesh.points)

    @property
    def numPolygons(self) -> int:
        """How many faces."""
        return len(self._mesh.counts)

    @property
    def numFaceVertices(self) -> int:
        """How many corners."""
        return len(self._mesh.indices)

    def getVertices(self) -> tuple[list[int], list[int]]:
        """How many corners each face has, and at which points."""
        return list(self._mesh.counts), list(self._mesh.indices)

    def getFloatPoints(self) -> list[Point]:
        """The points in the mesh's own space."""
        return [Point(*point) for point in self._mesh.points]
