"""Instances made real: all that one object instances becomes one mesh of its own."""

from __future__ import annotations

from typing import Any

from .evaluation import Workbench
from .placing import apply
from .view import Place, Shape, View, plain_name


def realise(view: View, workbench: Workbench) -> None:
    """Join what each instancer shows into one shape at the instancer's place; other shapes stay as they are."""
    by_instancer: dict[Any, list[Place]] = {}
    for place in view.places:
        if place.instancer is not None:
            by_instancer.setdefault((place.instancer, place.scene), []).append(place)
    made = []
    for (instancer, scene), places in by_instancer.items():
        standing = (one for one in view.places if one.object == instancer and one.instancer is None)
        own = next((one for one in standing if one.scene == scene), None)
        origin = own.matrix if own is not None else instancer.matrix_world.copy()
        inverse = origin.inverted_safe()
        parts = []
        for place in ([own] if own is not None else []) + places:
            mesh = place.shape.mesh.copy()
            apply(mesh, inverse @ place.matrix)
            parts.append(mesh)
        shape = Shape(workbench.join(parts), plain_name(instancer))
        shape.places.append(
            Place(
                object=instancer,
                instancer=None,
                name=plain_name(instancer),
                identity=places[0].identity if places[0].object == instancer else plain_name(instancer),
                scene=scene,
                seen_in=places[0].seen_in,
                matrix=origin,
                is_generated=False,
                shape=shape,
            )
        )
        gone = {id(place) for place in places} | ({id(own)} if own is not None else set())
        for before in view.shapes:
            before.places[:] = [place for place in before.places if id(place) not in gone]
        made.append(shape)
    for shape in view.shapes:
        if not shape.places:
            shape.drop()
    view.shapes[:] = sorted(
        [shape for shape in view.shapes if shape.places] + made, key=lambda shape: shape.places[0].name
    )
    view.screen.show(view.screen.scene)
