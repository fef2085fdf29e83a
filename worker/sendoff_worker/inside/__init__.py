"""What runs inside the worker's Blender: the standard library, bpy and what Blender bundles, and nothing else of ours.

``main.py`` loads this folder as the package ``sendoff_inside``, because the Python of a Blender has neither pydantic
nor redis: nothing in here may import ``sendoff_worker``.
"""
