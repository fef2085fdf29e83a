"""The tool's own scenes: a function for each kind of thing that a scene can hold, made by code inside Blender."""
