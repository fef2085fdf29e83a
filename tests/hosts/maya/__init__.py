"""A strict stand-in for Autodesk Maya, which cannot be had on the machines that test this.

It refuses what Maya refuses: flags that a command does not have (read from the types of `maya-stubs`), values of
another type, querying and editing at once, calls off the main thread, controls and nodes that are not there, user
interface in a batch. It keeps a small scene that is really written and read as USD, an undo queue, controls that a
test clicks, and an idle queue that runs when a test says so. What a test needs besides is in `maya.standin`.
"""
