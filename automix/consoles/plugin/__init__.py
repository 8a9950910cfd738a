"""The console that renders equalizer, compressor and reverb through VST3 plug-ins.

The plug-ins run in a child process with a time limit, so that one that crashes or hangs costs an
error message and not the mix.
"""
