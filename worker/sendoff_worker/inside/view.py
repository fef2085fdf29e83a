"""What the artist sees: every surface of the scene at each of its places, as the viewport's dependency graph has it.

Blender's own evaluation is asked once, in the artist's scene and view layer, so that frame rate, Simplify, camera,
physics, overrides and instances of every kind count as they do on screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy
from mathutils import Matrix

from .evaluation import drop_mesh
from .job import Job
from .left_alone import SOLID, LeftAlone, line
from .origin import PATH_PROPERTY, identity
from .screen import Screen
from .showing import unhide, use_render_levels

#: Types of objects that show something but no surface, each with the words for one and for several.
UNTAKEN = {
    "CURVES": ("hair object", "hair objects"),
    "POINTCLOUD": ("point cloud", "point clouds"),
    "VOLUME": ("volume", "volumes"),
    "GPENCIL": ("Grease Pencil object", "Grease Pencil objects"),
    "GREASEPENCIL": ("Grease Pencil object", "Grease Pencil objects"),
    "HAIR": ("object with particle hair", "objects with particle hair"),
}
SHOWN_NAMES = 3
#: What the names of Sendoff's own custom properties begin with.
OWN_PROPERTIES = "sendoff_"


class Shape:
    """One evaluated mesh, which several places may show."""

    def __init__(self, mesh: Any, name: str) -> None:
        self.mesh = mesh
        """A mesh of its own in bpy.data; removed by `drop`."""
        self.name = name
        """The name of the data that it came from."""
        self.places: list[Place] = []

    def keep(self, name: str) -> Any:
        """The mesh under another name, with the artist's custom properties; `drop` leaves it."""
        kept, self.mesh = self.mesh, None
        kept.name = name
        return kept

    def drop(self) -> None:
        """Remove the mesh."""
        if self.mesh is not None:
            drop_mesh(self.mesh)
            self.mesh = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A shape at one place of a scene."""

    object: Any
    """The original object, the file's own or a library's, that has the shape or whose nodes make it."""
    instancer: Any
    """The object of the scene that shows it there; None if the object stands there itself."""
    name: str
    """Its name in the artist's application."""
    identity: str
    """What the artist's application knows it by: the name in Blender, the path in a USD scene."""
    scene: Any
    """The scene of the artist that it stands in."""
    seen_in: Any
    """The scene that shows it: the same, or one whose background that is."""
    matrix: Matrix
    """From the shape to the world, shear included."""
    is_generated: bool
    """Whether it is an instance that geometry nodes made: not the object's own mesh."""
    shape: Shape


@dataclass(frozen=True, eq=False)
class _Entry:
    """One thing that the graph shows."""

    kind: str
    original: Any
    instancer: Any
    #: Of the mesh in Blender's memory.
    address: int = 0
    matrix: Matrix = field(default_factory=Matrix)
    is_generated: bool = False


@dataclass
class View:
    """The surfaces that a job is about.

    Args:
        job: Its parameters `objects` ("visible", "renderable", "all"), `all_scenes` and `modifiers` ("viewport",
            "render") say what counts, and its scope which objects.
    """

    job: Job
    shapes: list[Shape] = field(default_factory=list)
    #: Objects that are left alone, by reason.
    left_alone: Counter[str] = field(default_factory=Counter)
    #: What shows something without a surface: names by kind.
    untaken: dict[str, dict[str, None]] = field(default_factory=dict)
    screen: Any = None
    #: The scenes that were looked at.
    scenes: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, job: Job) -> View:
        """Look at the open file; the meshes that are found are new ones in bpy.data."""
        self = cls(job)
        objects = str(job.params.get("objects", "visible"))
        self._left = _left_alone(job, objects)
        self._seen: set[Any] = set()
        self._mesh_names = {mesh.name for mesh in bpy.data.meshes}
        if job.params.get("modifiers", "viewport") == "render":
            use_render_levels()
        self.screen = job.screen or Screen()
        shown = self.screen.scene
        own = [scene for scene in bpy.data.scenes if scene.library is None]
        wanted = own if job.params.get("all_scenes") else [shown]
        for scene in sorted(wanted, key=lambda scene: scene is not shown):
            self._look_at(scene, objects)
        self._count_the_rest(own)
        self.screen.show(shown)
        self.shapes.sort(key=lambda shape: (shape.places[0].name, shape.places[0].object.library is not None))
        return self

    @property
    def places(self) -> Iterator[Place]:
        """Every place of every shape."""
        return (place for shape in self.shapes for place in shape.places)

    def tell(self) -> None:
        """Tell the artist in one line each what was left alone and what cannot be taken."""
        for text in (line(self.left_alone), self._untaken_line()):
            if text:
                self.job.warn(text)

    def why_nothing(self, purpose: str) -> str:
        """A sentence that says why there is no surface, and what to do."""
        scope = self.job.scope
        where = "The scene has" if scope is None else f"The chosen objects ({scope.title}) hold"
        if self.job.missing_files:
            return (
                f"Nothing of the scene that came along has a surface {purpose}, and {len(self.job.missing_files):,} "
                "of its files are missing. Send them along."
            )
        if any(self.left_alone[reason] for reason in ("hidden", "wire", "cutter", "other scene")):
            return (
                f"{where} no visible objects with a surface {purpose}, but for what is left alone. "
                "The parameters Objects and All Scenes take that too."
            )
        return f"{where} no mesh objects {purpose}."

    def drop(self) -> None:
        """Remove the meshes that are left."""
        for shape in self.shapes:
            shape.drop()

    def _look_at(self, scene: Any, objects: str) -> None:
        self.scenes.append(scene)
        layer = self.screen.show(scene)
        if objects != "visible":
            unhide(layer, renderable=objects == "renderable")
        graph = self.screen.graph(scene)
        shapes: dict[int, Shape] = {}
        hidden = {one for one in layer.objects if not one.visible_get(view_layer=layer)}
        entries = list(self._entries(graph, shapes, hidden))
        surfaces = {entry.original for entry in entries if entry.kind == "MESH"}
        homes = _homes(scene)
        scope = self.job.scope
        inner = frozenset() if scope is None else scope.shown_by_others_only(scene)
        for entry in entries:
            if not self._is_chosen(entry, inner):
                continue
            if entry.kind != "MESH" and (entry.original not in surfaces or entry.kind == "HAIR"):
                self.untaken.setdefault(entry.kind, {})[entry.original.name] = None
            elif entry.address in shapes:
                home = homes.get(entry.instancer or entry.original, scene)
                self._place(scene, home, entry, shapes[entry.address])
        for shape in shapes.values():
            if shape.places:
                self.shapes.append(shape)
            else:
                shape.drop()

    def _entries(self, graph: Any, shapes: dict[int, Shape], hidden: set[Any]) -> Iterator[_Entry]:
        """What the graph shows: surfaces, and what cannot be taken; a new shape is made for each new mesh.

        The graph also has objects that only the eye of a collection hides: those are `hidden`.
        """
        own: dict[Any, int] = {}
        for instance in graph.object_instances:
            shown, original = instance.object, instance.object.original
            instancer = _instancer(instance)
            if instancer is not None and instancer.type not in SOLID:  # it is seen by what it shows
                self._seen.add(instancer)
            if not instance.show_self:
                continue
            if (original if instancer is None else instancer) in hidden:
                continue
            self._seen.add(original)
            reason = self._reason(original, instancer)
            if reason:
                continue
            if shown.type in UNTAKEN:
                yield _Entry(shown.type, original, instancer)
            if shown.type != "MESH":
                continue
            if any(one.type == "HAIR" and one.render_type == "PATH" for one in _particles(original)):
                yield _Entry("HAIR", original, instancer)
            address = shown.data.as_pointer()
            if original not in own:
                own[original] = _own_mesh(original, graph) or address
            is_generated = own[original] != address
            if address not in shapes:
                mesh = _mesh_of(shown, graph, is_generated=is_generated)
                shapes[address] = Shape(mesh, str((shown if is_generated else original).data.name))
            yield _Entry("MESH", original, instancer, address, instance.matrix_world.copy(), is_generated)

    def _place(self, scene: Any, home: Any, entry: _Entry, shape: Shape) -> None:
        name = plain_name(entry.original)
        place = Place(
            object=entry.original,
            instancer=entry.instancer,
            name=self._name_of(entry.original, shape) if entry.is_generated else name,
            identity=identity(entry.original),
            scene=home,
            seen_in=scene,
            matrix=entry.matrix,
            is_generated=entry.is_generated,
            shape=shape,
        )
        shape.places.append(place)

    def _name_of(self, original: Any, shape: Shape) -> str:
        """The name of an instance that nodes make: after the mesh of the file that they instance, if it is one."""
        own = original.data.name if original.data is not None else ""
        part = shape.name if shape.name in self._mesh_names and shape.name != own else "Instance"
        return f"{plain_name(original)}_{part}"

    def _reason(self, original: Any, instancer: Any) -> str:
        reason = self._left.reason(original)
        if not reason and instancer is not None and instancer != original:
            reason = self._left.reason(instancer)
        return reason

    def _is_chosen(self, entry: _Entry, inner: frozenset[Any]) -> bool:
        scope = self.job.scope
        if scope is None:
            return True
        if entry.instancer is None:
            return entry.original in scope.chosen
        return entry.instancer in scope.chosen or entry.original in inner

    def _count_the_rest(self, own: list[Any]) -> None:
        """Count what is left alone, of all scenes: each object once."""
        scope = self.job.scope
        counted: set[Any] = set()
        for scene in sorted(own, key=lambda scene: scene not in self.scenes):
            for one in scene.collection.all_objects:
                is_solid = one.type in SOLID or one.instance_type == "COLLECTION"
                if one in counted or not is_solid or (scope is not None and one not in scope):
                    continue
                counted.add(one)
                if scene not in self.scenes:
                    self.left_alone["other scene"] += 1
                elif reason := self._left.reason(one):
                    self.left_alone[reason] += 1
                elif one not in self._seen:
                    self.left_alone["hidden"] += 1

    def _untaken_line(self) -> str:
        parts = []
        for kind, names in self.untaken.items():
            listed = ", ".join(f"“{name}”" for name in list(names)[:SHOWN_NAMES])
            more = ", ..." if len(names) > SHOWN_NAMES else ""
            parts.append(f"{len(names):,} {UNTAKEN[kind][len(names) > 1]} ({listed}{more})")
        return f"Not taken, since they have no faces: {', '.join(parts)}." if parts else ""

    def counts(self) -> Mapping[str, int]:
        """What was left alone, by reason, for the summary."""
        return {reason: count for reason, count in self.left_alone.items() if count}


def _left_alone(job: Job, objects: str) -> LeftAlone:
    """What is left alone; if the artist chose nothing else, cutters, hulls and the like are what is meant."""
    left = LeftAlone(objects)
    if job.scope is not None:
        chosen = [one for one in bpy.data.objects if one.type in SOLID and one in job.scope]
        if chosen and all(left.reason(one) for one in chosen):
            return LeftAlone("all")
    return left


def plain_name(one: Any) -> str:
    """The object's name as the artist reads it: of a path the last part, without its namespace."""
    return identity(one).rpartition("/")[2].rpartition(":")[2] if PATH_PROPERTY in one else str(one.name)


def copy_properties(source: Any, target: Any) -> None:
    """Copy the artist's custom properties from one datablock to another: numbers, texts, lists and groups."""
    for name in source.keys():  # noqa: SIM118 - a datablock is no mapping
        value = source[name]
        if not name.startswith(OWN_PROPERTIES) and not isinstance(value, bpy.types.ID):
            target[name] = value.to_dict() if hasattr(value, "to_dict") else value


def modifiers_in_use(one: Any) -> list[Any]:
    """The modifiers that the viewport shows."""
    return [modifier for modifier in one.modifiers if modifier.show_viewport]


def _homes(scene: Any) -> dict[Any, Any]:
    """The scene that each object stands in: the shown one, or one that is its background."""
    homes: dict[Any, Any] = {}
    seen: set[Any] = set()
    shown = scene
    while shown is not None and shown not in seen:
        seen.add(shown)
        for one in shown.objects:
            homes.setdefault(one, shown)
        shown = shown.background_set
    return {one: home for one, home in homes.items() if home != scene}


def _instancer(instance: Any) -> Any:
    """The object of the scene that shows an instance; None if it is the object itself."""
    if not instance.is_instance or instance.parent is None:
        return None
    instancer, original = instance.parent.original, instance.object.original
    # The mesh of a curve, a text and the like is an instance beside the object.
    return None if instancer == original and original.type != "MESH" else instancer


def _particles(one: Any) -> list[Any]:
    return [system.settings for system in one.particle_systems]


def _own_mesh(original: Any, graph: Any) -> int:
    """The address of the mesh that an object itself shows; 0 for a curve or a text, which shows its own one first."""
    own = original.evaluated_get(graph).data if original.type == "MESH" else None
    return 0 if own is None else int(own.as_pointer())


def _mesh_of(shown: Any, graph: Any, *, is_generated: bool) -> Any:
    """A copy of the mesh that an instance of the graph shows."""
    if shown.original.type == "MESH" and not is_generated:
        mesh = bpy.data.meshes.new_from_object(shown, preserve_all_data_layers=True, depsgraph=graph)
        copy_properties(shown.original.data, mesh)
        return mesh
    # Of anything else new_from_object makes the mesh of the object as a whole.
    materials = [material.original if material is not None else None for material in shown.data.materials]
    mesh = shown.data.copy()
    for index, material in enumerate(materials):
        mesh.materials[index] = material
    return mesh
