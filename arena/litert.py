"""LiteRT files as trees of objects: read, changed and written again by their schema, without native code."""

from __future__ import annotations

from typing import Any

import numpy as np


def parse(content: bytes) -> Any:
    """Returns a LiteRT file as a tree of objects (ModelT), with the weights that lie behind the flatbuffer in it.

    Nothing is checked: a damaged file raises whatever its reading comes upon.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack(model: Any) -> bytes:
    """Returns the LiteRT file of a ModelT."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_metadata(content: bytes, name: str, text: str) -> bytes:
    """Returns a LiteRT file with `text` in its metadata under `name`, in the place of what stood there."""
    from ai_edge_litert import schema_py_generated as schema

    model = parse(content)
    model.metadata = model.metadata or []
    entry = next((entry for entry in model.metadata if entry.name == name.encode()), None)
    if entry is None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, len(model.buffers)
        model.buffers.append(schema.BufferT())
        model.metadata.append(entry)
    model.buffers[entry.buffer].data = np.frombuffer(text.encode(), np.uint8)
    return pack(model)


def with_batch_of_one(content: bytes) -> bytes:
    """Returns a LiteRT file whose open sizes are 1, as LiteRT.js and many accelerators want it.

    An interpreter in Python, Kotlin or Swift can still be asked to resize its input.
    """
    model = parse(content)
    for tensor in (tensor for subgraph in model.subgraphs for tensor in subgraph.tensors):
        tensor.shapeSignature = None  # beside it stands the shape, with a 1 where the size is open
    return pack(model)
