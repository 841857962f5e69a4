"""The names that a checkpoint's pickle may ask for: those that make tensors and records, and harmless neighbours."""

# type -> bytes of one item; those that are not floats may be there, and are not read
STORAGES = {
    "torch.HalfStorage": 2, "torch.BFloat16Storage": 2, "torch.FloatStorage": 4, "torch.DoubleStorage": 8,
    "torch.BoolStorage": 1, "torch.ByteStorage": 1, "torch.CharStorage": 1, "torch.ShortStorage": 2,
    "torch.IntStorage": 4, "torch.LongStorage": 8,
}
CONFIG_CLASSES = (
    "transformer_lens.HookedTransformerConfig.HookedTransformerConfig",
    "transformers.Config",
    "__main__.Config",
    "argparse.Namespace",
    "types.SimpleNamespace",
)
SCALARS = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar")
ENCODE = "_codecs.encode"
REBUILD = "torch._utils._rebuild_tensor_v2"
ORDERED = "collections.OrderedDict"
DTYPE = "numpy.dtype"

IGNORED, ARRAY, EMPTY_DICT, EMPTY_LIST = "PickledObject", "PickledArray", "pickled_dict", "pickled_list"
"""The stand-ins for what may lie beside weights and is not read (`safe_torch`)."""

_PATHS = ("Path", "PurePath", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
_BUILTINS = ("set", "frozenset", "complex", "bytearray", "range", "slice")
_FACTORIES = ("list", "dict", "int", "float", "str", "bool", "tuple")
_BUILTIN_MODULES = ("builtins", "__builtin__")
_NUMPY_CORES = ("numpy._core", "numpy.core")

_MAKERS = ("multiarray._reconstruct", "numeric._frombuffer")
_ARRAY_MAKERS = [f"{core}.{maker}" for core in _NUMPY_CORES for maker in _MAKERS]
_NUMPY_TYPES = ["numpy.ndarray", *(f"numpy.{kind}{bits}" for kind in ("float", "int") for bits in (32, 64))]
_HARMLESS_CALLED = {
    **{f"{module}.{name}": IGNORED for module in ("pathlib", "pathlib._local") for name in _PATHS},
    **{f"{module}.{name}": IGNORED for module in _BUILTIN_MODULES for name in _BUILTINS},
    **dict.fromkeys(("datetime.datetime", "datetime.date", "datetime.timedelta", "collections.Counter"), IGNORED),
    **dict.fromkeys(_ARRAY_MAKERS, ARRAY),
    "collections.defaultdict": EMPTY_DICT,
    "collections.deque": EMPTY_LIST,
}
HARMLESS = {
    **_HARMLESS_CALLED,
    **{f"{module}.{name}": IGNORED for module in _BUILTIN_MODULES for name in _FACTORIES},
    **dict.fromkeys(_NUMPY_TYPES, IGNORED),
}
"""Name in the file -> stand-in. Nothing of these libraries is called, nothing that they would make is made."""

FILLED = {"collections.defaultdict": ORDERED, "collections.deque": "list"}
"""Stand-ins that entries are then put into -> the kind of container that they return."""
BUILT = frozenset({DTYPE, *_ARRAY_MAKERS})
"""What a state of any kind is given to: the stand-ins drop it."""

CALLED = frozenset(
    {ORDERED, REBUILD, "torch._utils._rebuild_parameter", "torch.device", "torch.Size"}
    | {*CONFIG_CLASSES, DTYPE, *SCALARS, ENCODE, *_HARMLESS_CALLED}
)
_DTYPES = ("float16", "bfloat16", "float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
ALLOWED = CALLED | {*STORAGES, *HARMLESS, *(f"torch.{dtype}" for dtype in _DTYPES)}
