"""Sendoff for Maya: this package is loaded by plug-ins/sendoff_plugin.py; the same names of files as in addon/."""
