"""Separation by Demucs: htdemucs, its variants, Demucs v3, and any checkpoint that the `demucs` package can make.

`DemucsSeparator` is a `Separator` like any other. PyTorch is imported when it separates, not when it is made from
safetensors. What is here is for speed and for long, odd or large inputs; the networks are Demucs' own, and with the
same shifts the stems are Demucs' own.

    grid          where segments lie and how they are joined
    checkpoints   files to models
    spectrum      the transforms around a hybrid network
    core          a hybrid network without them
    rearranged    the same in another order, for processors
    network       what a network is to the rest
    runtime       what runs it: PyTorch, or OpenVINO on a processor (openvino_core)
    making        from files to what runs
    ladder        less at a time where memory runs out
    passes        members, channels and shifts side by side
    rates         the model's rate and channels, and back
    residual      stems that sum to the mix
    backend       all of it together
"""

from engine.separation.neural.backend import DemucsSeparator

__all__ = ["DemucsSeparator"]
