"""What every host application's add-on does alike: jobs, sessions, words, the status bar's model.

An add-on (addon/ for Blender, maya_plugin/ for Maya) is a thin layer of its host's own calls around this; no host is
known here.
"""
