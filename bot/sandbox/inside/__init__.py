"""What runs inside a sandbox: the worker, standard library only.

These modules are loaded by a bare interpreter (`python -I -S -B`) that has nothing else of the bot; they import each
other and the standard library, and little of that, because every import is paid for at each start.
"""
