"""Maya's paths and the prims that USD makes of them, and the kind of file that is sent."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("dag_path", "prim"),
    [
        ("|World|ns:Car|Body", "/World/ns_Car/Body"),
        ("|a:b:c", "/a_b_c"),
        ("|Räder", "/R_der"),
        ("", ""),
    ],
)
def test_a_transform_becomes_a_prim(plugin, dag_path, prim):
    assert plugin.names.prim_path(dag_path) == prim


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("/World/Car/Body", "|World|Car|Body"),
        ("/Old/Place/Wheel", "|World|Wheel"),
        ("/Old/Place/Body", ""),
        ("ns:Door", "|World|ns:Door"),
        ("/World/ns_Door", "|World|ns:Door"),
        ("/nothing", ""),
        ("", ""),
    ],
)
def test_what_the_server_means_is_found(plugin, source, found):
    paths = ["|World|Car|Body", "|World|Other|Body", "|World|Wheel", "|World|ns:Door"]
    assert plugin.names.Finder(paths).find(source) == found


@pytest.mark.parametrize(
    ("accepts", "scene_type", "usd", "fbx", "kind"),
    [
        (("ma", "mb"), "mayaAscii", True, True, "ma"),
        (("ma", "mb"), "mayaBinary", True, True, "mb"),
        (("mb",), "mayaAscii", True, True, "mb"),
        (("usd", "ma"), "mayaAscii", True, True, "ma"),
        (("blend", "usd", "usdc", "fbx"), "mayaAscii", True, True, "usdc"),
        (("blend", "usda"), "mayaAscii", True, True, "usda"),
        (("blend", "usdc", "fbx"), "mayaAscii", False, True, "fbx"),
        ((), "mayaAscii", True, True, "usdc"),
        ((), "mayaAscii", False, True, "fbx"),
    ],
)
def test_the_kind_of_file_is_what_the_task_takes_and_maya_can_write(plugin, accepts, scene_type, usd, fbx, kind):
    formats = plugin.scene_formats
    assert formats.choose(accepts, scene_type=scene_type, plugins=formats.Plugins(usd=usd, fbx=fbx)) == kind


@pytest.mark.parametrize(
    ("accepts", "words"),
    [(("usdc",), "mayaUsdPlugin"), (("fbx",), "fbxmaya"), (("blend",), "takes blend files"), ((), "mayaUsdPlugin")],
)
def test_where_there_is_no_way_a_sentence_says_what_is_missing(plugin, accepts, words):
    formats = plugin.scene_formats
    with pytest.raises(formats.NoFormat, match=words):
        formats.choose(accepts, scene_type="mayaAscii", plugins=formats.Plugins(usd=False, fbx=False))
