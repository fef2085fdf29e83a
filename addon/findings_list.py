"""The findings of a check as a list in the sidebar; a click on one selects and frames what it is about.

What the list shows is kept in the window manager, which no file and no undo step holds; the numbers of faces, edges
and vertices stay in the report as it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

import bpy

from . import element_selection, framing, library_paths
from .current import desk
from .name_of import shown_name
from .sendoff.host import findings
from .sendoff.host.findings import Finding, Report
from .sendoff.host.jobs import Job
from .wrapped import wrapped

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems, OperatorReturnItems

_ICONS: dict[str, IconItems] = {"error": "CANCEL", "warning": "ERROR", "info": "INFO"}
_PLURALS = {"face": "faces", "edge": "edges", "vertex": "vertices"}
#: The two buttons that show a finding: text, icon, whether it goes into Edit Mode.
_SHOWING: tuple[tuple[str, IconItems, bool], ...] = (
    ("Show", "ZOOM_SELECTED", False),
    ("In Edit Mode", "EDITMODE_HLT", True),
)
_LEAST_ROWS, _MOST_ROWS = 3, 8


class Shown:
    """The report that the list shows, and what was said about the last click."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self.job_key = ""
        self.report = Report()
        self.said = ""
        #: The list is being filled: a change of its active row is no click.
        self.is_filling = False
        #: What the list was filtered by last, and the flags that came of it.
        self.filtered: tuple[tuple[frozenset[str], tuple[str, ...]], list[int]] | None = None


_shown = Shown()


class NotShown(Exception):
    """A finding cannot be shown as things are; the text is a sentence for the artist."""


class SENDOFF_PG_finding(bpy.types.PropertyGroup):
    """A row of the list; its name is the object's."""

    severity: bpy.props.StringProperty(name="Severity")
    message: bpy.props.StringProperty(name="Message")


class _Rows(Protocol):
    """What a CollectionProperty gives."""

    def add(self) -> SENDOFF_PG_finding: ...
    def clear(self) -> None: ...
    def __len__(self) -> int: ...


class _WithList(Protocol):
    """A window manager, as it is once the add-on is registered."""

    sendoff_findings: _Rows
    sendoff_findings_index: int


def _list_in(window_manager: bpy.types.WindowManager) -> _WithList:
    return cast("_WithList", window_manager)


class SENDOFF_UL_findings(bpy.types.UIList):
    """The list: the worst first, as the report has them."""

    bl_idname = "SENDOFF_UL_findings"

    show_error: bpy.props.BoolProperty(name="Errors", description="Show what will break in most engines", default=True)
    show_warning: bpy.props.BoolProperty(name="Warnings", description="Show what is probably not meant", default=True)
    show_info: bpy.props.BoolProperty(name="Info", description="Show what is good to know", default=True)

    def draw_item(
        self, _context: bpy.types.Context, layout: bpy.types.UILayout, _data: Any, item: Any, _icon: Any, _active: Any,
        _property: Any, _number: Any = 0, _flag: Any = 0,
    ) -> None:  # fmt: skip
        """Draw one row: how bad, which object, what."""
        split = layout.split(factor=0.36)
        split.label(text=item.name, icon=_ICONS.get(item.severity, "INFO"), translate=False)
        split.label(text=item.message, translate=False)

    def draw_filter(self, _context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        """Draw what the list can be narrowed by."""
        row = layout.row(align=True)
        row.prop(self, "filter_name", text="", icon="VIEWZOOM")
        for severity in findings.SEVERITIES:
            row.prop(self, f"show_{severity}", text="", icon=_ICONS[severity], toggle=True)

    def filter_items(self, _context: bpy.types.Context, _data: Any, _property: str) -> tuple[list[int], list[int]]:
        """Which rows are shown: those of the asked severities with the asked words in object, message or check."""
        severities = {severity for severity in findings.SEVERITIES if getattr(self, f"show_{severity}")}
        words = tuple(self.filter_name.casefold().split())
        if len(severities) == len(findings.SEVERITIES) and not words:
            return [], []
        asked = (frozenset(severities), words)
        if _shown.filtered is None or _shown.filtered[0] != asked:
            fits = matching(_shown.report, severities, words)
            _shown.filtered = (asked, [self.bitflag_filter_item if fit else 0 for fit in fits])
        return _shown.filtered[1], []


class SENDOFF_OT_show_finding(bpy.types.Operator):
    """Select what this finding is about and bring it into view"""

    bl_idname = "sendoff.show_finding"
    bl_label = "Show Finding"
    bl_options = {"UNDO", "INTERNAL"}  # noqa: RUF012

    job: bpy.props.StringProperty(name="Job", description="The job that the report is of; the shown one where empty")
    number: bpy.props.IntProperty(name="Number", description="Which finding of the report, from 0", default=-1)
    edit: bpy.props.BoolProperty(name="In Edit Mode", description="Go into Edit Mode and select the faces there")

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        """Show it; where that cannot be, nothing changes and a sentence says why."""
        job = desk.jobs.find(self.job) if self.job else shown_job()
        if job is None:
            self.report({"WARNING"}, "The report of this job is not here any more")
            return {"CANCELLED"}
        if job.key != _shown.job_key:
            fill(context.window_manager, job)
        number = self.number if self.number >= 0 else _list_in(context.window_manager).sendoff_findings_index
        if not 0 <= number < len(_shown.report.findings):
            self.report({"WARNING"}, _shown.report.problem or "The report has no such finding")
            return {"CANCELLED"}
        try:
            _shown.said = show(_shown.report.findings[number], context, edit=self.edit)
        except NotShown as reason:
            _shown.said = str(reason)
            self.report({"WARNING"}, _shown.said)
            return {"CANCELLED"}
        if not desk.came_from_open_file(job):
            _shown.said = f"The report is of “{job.title}”, which is not the file that is open. {_shown.said}".strip()
        if _shown.said:
            self.report({"INFO"}, _shown.said)
        return {"FINISHED"}


CLASSES = (SENDOFF_PG_finding, SENDOFF_UL_findings, SENDOFF_OT_show_finding)


def register() -> None:
    """Have a place for the list; to be called once the classes are registered."""
    bpy.types.WindowManager.sendoff_findings = bpy.props.CollectionProperty(  # type: ignore[attr-defined] # made here
        type=SENDOFF_PG_finding, options={"SKIP_SAVE"}
    )
    bpy.types.WindowManager.sendoff_findings_index = bpy.props.IntProperty(  # type: ignore[attr-defined] # made here
        name="Finding", options={"SKIP_SAVE"}, update=_clicked
    )
    bpy.app.handlers.load_post.append(_refill)


def unregister() -> None:
    """Forget the list."""
    bpy.app.handlers.load_post.remove(_refill)
    del bpy.types.WindowManager.sendoff_findings_index  # type: ignore[attr-defined] # made above
    del bpy.types.WindowManager.sendoff_findings  # type: ignore[attr-defined] # made above
    _shown.clear()


def fill(window_manager: bpy.types.WindowManager, job: Job) -> Report:
    """Show the report of a job in the list; returns it as it was read, an empty one where the job has none."""
    path = findings.report_file(job)
    _shown.clear()
    _shown.job_key = job.key
    _shown.report = Report() if path is None else findings.read(path)
    _write_rows(window_manager)
    return _shown.report


def shown_job() -> Job | None:
    """The job whose report the list shows; None where it shows none."""
    return desk.jobs.find(_shown.job_key)


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, job: Job) -> None:
    """Draw the list of a job's findings and what can be done with the active one."""
    report = _shown.report
    if job.key != _shown.job_key:
        wrapped(layout, "Click Show Result to list what was found", context)
        return
    if report.problem:
        wrapped(layout, report.problem, context, icon="ERROR")
        return
    wrapped(layout, f"{job.title}: {report.summary}", context)
    window_manager = context.window_manager
    layout.template_list(
        SENDOFF_UL_findings.bl_idname, "", window_manager, "sendoff_findings", window_manager,
        "sendoff_findings_index", rows=max(_LEAST_ROWS, min(_MOST_ROWS, len(report.findings))),
    )  # fmt: skip
    if report.left_out:
        wrapped(layout, f"{report.left_out:,} more are in {findings.report_file(job)}", context, icon="INFO")
    number = _list_in(window_manager).sendoff_findings_index
    if not 0 <= number < len(report.findings):
        return
    finding = report.findings[number]
    wrapped(layout, finding.message, context, icon=_ICONS[finding.severity])
    if _shown.said:
        wrapped(layout, _shown.said, context, icon="INFO")
    row = layout.row(align=True)
    for text, icon, is_edit in _SHOWING:
        part = row.row(align=True)
        part.enabled = not is_edit or bool(finding.element)
        button = part.operator("sendoff.show_finding", text=text, icon=icon)
        button.job, button.number, button.edit = job.key, number, is_edit


def matching(report: Report, severities: set[str], words: tuple[str, ...]) -> list[bool]:
    """Per finding whether it is of one of the severities and holds all the words; words are casefolded."""
    return [
        finding.severity in severities and all(word in _words_of(finding) for word in words)
        for finding in report.findings
    ]


def show(finding: Finding, context: bpy.types.Context, *, edit: bool) -> str:
    """Select what a finding is about and frame it; returns what else the artist should know, "" where nothing.

    In Edit Mode, or with `edit`, the faces, edges or vertices are selected, in Object Mode the object. Raises NotShown
    before anything is changed.
    """
    thing, said = _object(finding), ""
    is_editing = context.mode.startswith("EDIT_")
    if not thing.users_scene and not (edit or is_editing):
        instancer = _instancer(thing, context)
        if instancer is not None:
            said = f"“{shown_name(thing)}” stands in a collection that “{shown_name(instancer)}” instances."
            thing = instancer
    _check_visible(thing, context)
    if not is_editing and context.mode != "OBJECT":
        raise NotShown("Go to Object Mode or Edit Mode to be shown what was found")
    if edit or is_editing:
        if not isinstance(thing.data, bpy.types.Mesh) or thing.library is not None or thing.data.library is not None:
            raise NotShown(
                f"“{shown_name(thing)}” is a library's and cannot be edited here. Go to Object Mode to see it"
            )
        _edit(thing, context, alone=not finding.element)
        said = _select_elements(finding, thing, context)
    else:
        _select(thing, context)
    if not framing.frame_selected(context):
        said = f"{said} Open a 3D view in this window to see it".strip()
    return said


def _object(finding: Finding) -> bpy.types.Object:
    thing = None
    if not finding.is_image and finding.object:
        job = shown_job()
        folder = library_paths.folder_of(job.source_path) if job is not None else ""
        source = (library_paths.absolute(finding.library, folder), finding.object)
        thing = library_paths.objects([source]).get(source) or bpy.data.objects.get(finding.object)
    if thing is not None:
        return thing
    if finding.is_image or finding.object in bpy.data.images:
        raise NotShown(f"“{finding.object}” is an image that no object uses. Relink it or remove it")
    if not finding.object:
        raise NotShown("This is about the scene as a whole, and no object can be shown")
    raise NotShown(f"“{finding.object}” is not in this file any more: it was deleted or renamed")


def _instancer(thing: bpy.types.Object, context: bpy.types.Context) -> bpy.types.Object | None:
    """An object of the view layer that stands for an object that is in no scene by itself; None if there is none."""
    holds: dict[bpy.types.Collection, bool] = {}
    for one in context.view_layer.objects:
        collection = one.instance_collection if one.instance_type == "COLLECTION" else None
        is_seen = collection is not None and one.visible_get(view_layer=context.view_layer)
        if collection is not None and is_seen and _holds(collection, thing, holds):
            return one
    return None


def _holds(collection: bpy.types.Collection, thing: bpy.types.Object, known: dict[bpy.types.Collection, bool]) -> bool:
    if collection not in known:
        known[collection] = False  # a ring of collections ends here
        known[collection] = any(
            one == thing or (one.instance_collection is not None and _holds(one.instance_collection, thing, known))
            for one in collection.all_objects
        )
    return known[collection]


def _check_visible(thing: bpy.types.Object, context: bpy.types.Context) -> None:
    """Raise NotShown, with the reason, where an object cannot be selected in the view."""
    name, scenes, view_layer = shown_name(thing), thing.users_scene, context.view_layer
    if not scenes:
        raise NotShown(f"“{name}” is in no scene by itself; it may stand in a collection that is instanced")
    if context.scene not in scenes:
        raise NotShown(f"“{name}” is in the scene “{shown_name(scenes[0])}”. Go there to see it")
    if thing not in set(view_layer.objects):
        raise NotShown(f"The collection of “{name}” is excluded from the view layer. Tick it in the Outliner")
    if not thing.visible_get(view_layer=view_layer):
        raise NotShown(f"“{name}” is hidden. Show it in the Outliner")
    if not thing.visible_get(view_layer=view_layer, viewport=framing.space(context)):
        raise NotShown(f"“{name}” is not shown in this 3D view. Leave Local View to see it")
    if thing.hide_select or any(collection.hide_select for collection in thing.users_collection):
        raise NotShown(f"“{name}” cannot be selected: it is locked in the Outliner")


def _select(thing: bpy.types.Object, context: bpy.types.Context) -> None:
    for one in list(context.view_layer.objects.selected):
        one.select_set(False)
    thing.select_set(True)
    context.view_layer.objects.active = thing


def _edit(thing: bpy.types.Object, context: bpy.types.Context, *, alone: bool) -> None:
    """Have an object in Edit Mode, alone where it has to be, or is not among those that are edited already."""
    is_edited = context.mode == "EDIT_MESH" and thing in context.objects_in_mode
    if is_edited and (not alone or len(context.objects_in_mode) == 1):
        context.view_layer.objects.active = thing
        return
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    _select(thing, context)
    # A step of Edit Mode holds meshes alone: without one of the whole file before it, undo would not bring back what
    # was selected, nor what had been edited in another object.
    bpy.ops.ed.undo_push(message=f"Select {shown_name(thing)}")
    bpy.ops.object.mode_set(mode="EDIT")


def _select_elements(finding: Finding, thing: bpy.types.Object, context: bpy.types.Context) -> str:
    if not finding.element:
        bpy.ops.mesh.select_all(action="SELECT")
        return ""
    done = element_selection.select(thing, finding.element, finding.indices, context)
    kind = _PLURALS[finding.element]
    said = []
    if finding.count > len(finding.indices):
        said.append(f"The report lists {len(finding.indices):,} of {finding.count:,} {kind}.")
    if done.beyond:
        said.append(
            f"{done.beyond:,} of the {kind} are not there any more: “{shown_name(thing)}” was changed meanwhile."
        )
    if done.hidden:
        said.append(f"{done.hidden:,} of the {kind} are hidden. Reveal them to see them.")
    return " ".join(said)


def _words_of(finding: Finding) -> str:
    return f"{finding.object} {finding.message} {finding.check}".casefold()


def _write_rows(window_manager: bpy.types.WindowManager) -> None:
    _shown.is_filling = True
    try:
        rows = _list_in(window_manager).sendoff_findings
        rows.clear()
        for finding in _shown.report.findings:
            row = rows.add()
            row.name, row.severity, row.message = finding.object, finding.severity, finding.message
        _list_in(window_manager).sendoff_findings_index = -1
    finally:
        _shown.is_filling = False


def _clicked(window_manager: bpy.types.WindowManager, _context: bpy.types.Context) -> None:
    """A row was clicked: show it, as one undo step."""
    number = _list_in(window_manager).sendoff_findings_index
    if not _shown.is_filling and 0 <= number < len(_shown.report.findings):
        bpy.ops.sendoff.show_finding(  # type: ignore[attr-defined] # it is there once the add-on is registered
            "EXEC_DEFAULT", True, job=_shown.job_key, number=number
        )


@bpy.app.handlers.persistent
def _refill(*_: object) -> None:
    """A file that is opened may come with a window manager of its own."""
    window_manager = bpy.context.window_manager
    if shown_job() is not None and len(_list_in(window_manager).sendoff_findings) != len(_shown.report.findings):
        _write_rows(window_manager)
