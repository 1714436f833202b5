"""How numpy arrays and pandas tables cross: kind of the elements and bytes, objects one by one, never a pickle.

Called by crossing.py at both ends. Neither library is imported here: a value of theirs can only exist where its
library is already loaded, and a table is only built where the other end may send one.
"""

from __future__ import annotations

import base64
import importlib
import re
import sys
from collections.abc import Callable
from typing import Any

TAGS = frozenset(
    {
        "array",
        "scalar",
        "frame",
        "series",
        "index",
        "range index",
        "timestamp",
        "timedelta64",
        "interval",
        "missing",
    }
)
MAX_ARRAY_BYTES = 16 << 20
_DTYPE = re.compile(r"[<>|=]?[biufcSU]\d+|[<>|=]?[mM]8\[(generic|Y|M|W|D|h|m|s|ms|us|ns)\]")
_EXTENSION = re.compile(r"(U?Int|Float)(8|16|32|64)|boolean|string|str|datetime64\[(s|ms|us|ns), [\w/+:-]+\]")

Pack = Callable[[Any], Any]
Read = Callable[[Any], Any]


def pack(value: Any, pack_item: Pack) -> Any | None:
    """Write an array, a scalar or a table of exactly a library's own class; None for anything else."""
    kind = type(value)
    module = kind.__module__
    if type(module) is not str:  # a class may hide it behind a property of its objects
        return None
    root = module.partition(".")[0]
    if root == "numpy" and (numpy := sys.modules.get("numpy")) is not None:
        if kind is numpy.ndarray:
            return _pack_array(value, pack_item)
        if issubclass(kind, numpy.generic) and vars(numpy).get(kind.__name__, kind) is kind:
            return _pack_scalar(value)
        return None
    if root == "pandas" and (pandas := sys.modules.get("pandas")) is not None:
        return _pack_table(pandas, value, kind, pack_item)
    return None


def _pack_scalar(value: Any) -> Any | None:
    if not _DTYPE.fullmatch(value.dtype.str):
        return None
    return ["scalar", value.dtype.str, base64.b64encode(value.tobytes()).decode("ascii")]


def _pack_array(value: Any, pack_item: Pack) -> Any | None:
    if value.dtype.kind == "O":
        return ["array", "O", list(value.shape), [pack_item(item) for item in value.ravel().tolist()]]
    if value.dtype.names is not None:
        return None
    if not _DTYPE.fullmatch(value.dtype.str) or value.nbytes > MAX_ARRAY_BYTES:
        return None
    return ["array", value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode("ascii")]


def _pack_table(pandas: Any, value: Any, kind: type, pack_item: Pack) -> Any | None:  # noqa: PLR0911 - one line a kind
    if kind is pandas.DataFrame:
        columns = [_pack_column(pandas, value.iloc[:, at], pack_item) for at in range(value.shape[1])]
        return ["frame", pack_item(value.columns), pack_item(value.index), columns]
    if kind is pandas.Series:
        return [
            "series",
            pack_item(value.name),
            pack_item(value.index),
            _pack_column(pandas, value, pack_item),
        ]
    if kind is pandas.RangeIndex:
        return ["range index", value.start, value.stop, value.step, pack_item(value.name)]
    if issubclass(kind, pandas.Index) and getattr(pandas, kind.__name__, None) is kind:
        if kind is pandas.MultiIndex:
            rows = [pack_item(tuple(row)) for row in value.tolist()]
            return ["index", "multi", [pack_item(name) for name in value.names], rows]
        freq = (
            getattr(value, "freqstr", None) if kind in {pandas.DatetimeIndex, pandas.TimedeltaIndex} else None
        )
        return ["index", "plain", [pack_item(value.name)], _pack_column(pandas, value, pack_item), freq]
    if kind is pandas.Timestamp:
        return ["timestamp", value.isoformat(), None if value.tz is None else str(value.tz)]
    if kind is pandas.Interval:
        return ["interval", pack_item(value.left), pack_item(value.right), value.closed]
    if kind is pandas.Timedelta:
        return ["timedelta64", int(value.value)]
    if value is pandas.NaT or value is pandas.NA:
        return ["missing", "NaT" if value is pandas.NaT else "NA"]
    return None


def _pack_column(pandas: Any, column: Any, pack_item: Pack) -> list[Any]:
    dtype = column.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        holder = column.cat if hasattr(column, "cat") else column
        codes = [int(code) for code in holder.codes]
        return ["category", pack_item(dtype.categories), bool(dtype.ordered), codes]
    if isinstance(dtype, pandas.IntervalDtype):
        return ["intervals", [pack_item(item) for item in column.tolist()], dtype.closed]
    if not _is_numpy_dtype(dtype):
        name = str(dtype)
        items = [pack_item(item) for item in column.tolist()]
        return ["extension", name if _EXTENSION.fullmatch(name) else "object", items]
    return ["values", pack_item(column.to_numpy())]


def _is_numpy_dtype(dtype: Any) -> bool:
    return type(dtype).__module__.partition(".")[0] == "numpy"


def unpack(data: list[Any], read: Read) -> Any:  # noqa: C901, PLR0911 - one line a kind
    """Build an array, a scalar or a table; whatever is wrong with the data raises."""
    tag = data[0]
    if tag in {"array", "scalar"}:
        return _read_numpy(data, read)
    pandas = importlib.import_module("pandas")
    if tag == "frame":
        return _read_frame(pandas, data, read)
    if tag == "series":
        return pandas.Series(
            _read_column(pandas, data[3], read), index=_index(pandas, data[2], read), name=read(data[1])
        )
    if tag == "range index":
        return pandas.RangeIndex(int(data[1]), int(data[2]), int(data[3]), name=read(data[4]))
    if tag == "index":
        names = [read(name) for name in data[2]]
        if data[1] == "multi":
            return pandas.MultiIndex.from_tuples([read(row) for row in data[3]], names=names)
        index = pandas.Index(_read_column(pandas, data[3], read), name=names[0])
        if data[4] is not None:
            index.freq = pandas.tseries.frequencies.to_offset(str(data[4])[:40])
        return index
    if tag == "interval":
        return pandas.Interval(read(data[1]), read(data[2]), closed=str(data[3]))
    if tag == "timestamp":
        stamp = pandas.Timestamp(str(data[1]))
        return stamp if data[2] is None or stamp.tz is None else stamp.tz_convert(str(data[2]))
    if tag == "timedelta64":
        return pandas.Timedelta(int(data[1]), unit="ns")
    return pandas.NaT if data[1] == "NaT" else pandas.NA


def _read_numpy(data: list[Any], read: Read) -> Any:
    numpy = importlib.import_module("numpy")
    name = data[1]
    if data[0] == "scalar":
        dtype = numpy.dtype(_known(name))
        return numpy.frombuffer(base64.b64decode(data[2], validate=True), dtype=dtype, count=1)[0]
    shape = tuple(int(size) for size in data[2])
    if any(size < 0 for size in shape) or len(shape) > 32:  # noqa: PLR2004
        raise ValueError("shape")
    if name == "O":
        flat = numpy.empty(len(data[3]), dtype=object)
        for at, item in enumerate(data[3]):
            flat[at] = read(item)
        return flat.reshape(shape)
    dtype = numpy.dtype(_known(name))
    return numpy.frombuffer(base64.b64decode(data[3], validate=True), dtype=dtype).reshape(shape).copy()


def _known(name: Any) -> str:
    if type(name) is not str or not _DTYPE.fullmatch(name):
        raise ValueError("dtype")
    return name


def _index(pandas: Any, data: Any, read: Read) -> Any:
    index = read(data)
    if not isinstance(index, pandas.Index):
        raise TypeError("index")
    return index


def _read_frame(pandas: Any, data: list[Any], read: Read) -> Any:
    index = _index(pandas, data[2], read)
    columns = [pandas.Series(_read_column(pandas, column, read), index=index) for column in data[3]]
    if not columns:
        return pandas.DataFrame(index=index, columns=_index(pandas, data[1], read))
    frame = pandas.concat(columns, axis=1)
    frame.columns = _index(pandas, data[1], read)
    return frame


def _read_column(pandas: Any, data: Any, read: Read) -> Any:
    if data[0] == "values":
        return read(data[1])
    if data[0] == "intervals":
        return pandas.arrays.IntervalArray([read(item) for item in data[1]], closed=str(data[2]))
    if data[0] == "category":
        categories = _index(pandas, data[1], read)
        return pandas.Categorical.from_codes(
            [int(code) for code in data[3]], categories, ordered=bool(data[2])
        )
    name = data[1]
    if (
        data[0] != "extension"
        or type(name) is not str
        or not (name == "object" or _EXTENSION.fullmatch(name))
    ):
        raise ValueError("column")
    return (
        pandas.array([read(item) for item in data[2]], dtype=name)
        if name != "object"
        else [read(i) for i in data[2]]
    )
