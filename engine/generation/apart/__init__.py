"""Generators in interpreters of their own: what needs other packages than ours, reached over a pipe.

`child` is the one file that the other interpreter runs, `pipe` this end of the pipe, `install` makes the interpreter,
and `backend` is the generator that jobs see.
"""
