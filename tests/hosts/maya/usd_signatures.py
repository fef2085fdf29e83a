"""The flags of maya-usd's commands, which `maya-stubs` leave out: from the read-mes of maya-usd's own repository."""

from __future__ import annotations

RELEASES = ("0.19", "0.30")

#: Long name, short name, type as the stubs would have it; the last word where only the newer release has it.
_EXPORT = """
append a bool
chaser chr Multiuse[str]
chaserArgs cha Multiuse[Tuple[str,str,str]]
compatibility com str
convertMaterialsTo cmt Multiuse[str]
defaultCameras dc bool
defaultMeshScheme dms str
defaultUSDFormat duf str
eulerFilter ef bool
exportBlendShapes ebs bool
exportCollectionBasedBindings cbb bool
exportColorSets cls bool
exportDisplayColor dsp bool
exportInstances ein bool
exportMaterialCollections mcs bool
exportReferenceObjects ero bool
exportRefsAsInstanceable eri bool
exportRoots ert Multiuse[str]
exportSkels skl str
exportSkin skn str
exportUVs uvs bool
exportVisibility vis bool
file f str
filterTypes ft Multiuse[str]
frameRange fr Tuple[float,float]
frameSample fs Multiuse[float]
frameStride fst float
ignoreWarnings ign bool
kind k str
materialCollectionsPath mcp str
materialsScopeName msn str
melPerFrameCallback mfc str
melPostCallback mpc str
mergeTransformAndShape mt bool
normalizeNurbs nnu bool
parentScope psc str
pythonPerFrameCallback pfc str
pythonPostCallback ppc str
renderLayerMode rlm str
renderableOnly ro bool
selection sl bool
shadingMode shd str
staticSingleSample sss bool
stripNamespaces sn bool
verbose v bool
apiSchema api Multiuse[str] new
defaultPrim dp str new
excludeExportTypes eet Multiuse[str] new
exportComponentTags tag bool new
geomSidedness gs str new
jobContext jc Multiuse[str] new
preserveUVSetNames puv bool new
remapUVSetsTo ruv Multiuse[Tuple[str,str]] new
rootPrim rpm str new
rootPrimType rpt str new
unit unt str new
upAxis upa str new
worldspace wsp bool new
"""
_IMPORT = """
apiSchema api Multiuse[str]
chaser chr Multiuse[str]
chaserArgs cha Multiuse[Tuple[str,str,str]]
excludePrimvar epv Multiuse[str]
file f str
frameRange fr Tuple[float,float]
importInstances ii bool
importUSDZTextures itx bool
importUSDZTexturesFilePath itf str
metadata md Multiuse[str]
parent p str
preferredMaterial prm str
primPath pp str
readAnimData ani bool
shadingMode shd Multiuse[Tuple[str,str]]
useAsAnimationCache uac bool
variant var Multiuse[Tuple[str,str]]
verbose v bool
applyEulerFilter aef bool new
axisAndUnitMethod aum str new
excludeExportTypes eet Multiuse[str] new
importRelativeTextures rtx str new
jobContext jc Multiuse[str] new
primVariant pv Multiuse[Tuple[str,str,str]] new
remapUVSetsTo ruv Multiuse[Tuple[str,str]] new
unit unt bool new
upAxis upa bool new
"""
COMMANDS = {"mayaUSDExport": _EXPORT, "mayaUSDImport": _IMPORT}


def flags_of(command: str, release: str) -> dict[str, tuple[str, str]]:
    """A command's flags in a release: short name and type, by the long name."""
    found = {}
    for line in COMMANDS[command].strip().splitlines():
        long, short, kind, *newer = line.split()
        if not newer or release != RELEASES[0]:
            found[long] = (short, kind)
    return found
