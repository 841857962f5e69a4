"""Results as pandas data frames, where pandas is installed; it is never required."""

from collections.abc import Iterable, Mapping
from typing import Any

from quadlens.errors import DependencyError


def data_frame(rows: Iterable[Mapping[str, Any]], *, index: str) -> Any:
    """Return a ``pandas.DataFrame`` with one row for each mapping, indexed by the column ``index``.

    Raises
    ------
    DependencyError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise DependencyError("to_dataframe needs pandas, which is not installed; pip install pandas") from None
    return pandas.DataFrame(list(rows)).set_index(index)
