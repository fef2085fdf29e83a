"""The tasks that come with Sendoff."""

#: The kinds of scenes that every task of ours that runs in Blender takes.
SCENES = ("blend", "usd", "usda", "usdc", "usdz", "fbx")
