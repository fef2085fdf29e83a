"""Blender runtimes: which there are, and one of them as a child process."""
