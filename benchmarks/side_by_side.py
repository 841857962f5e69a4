"""``linear`` by numpy and on a device, brute force there, and the times below which that device cannot come."""

from __future__ import annotations

from typing import Any


def side_by_side(results: list[dict[str, Any]]) -> dict[int, dict[str, float]]:
    """Return, for each p, seconds of each way and the least seconds by the rates measured in the same run.

    ``limit_…``: the bytes of the tables, read once, over the rate of a copy; the operations over the rate of a matrix
    product. ``linear`` is mostly look-ups, so its own limit by operations is far below what any program reaches.
    """
    good = [result for result in results if "failed" not in result]
    rates = next((result for result in good if result["task"] == "rates"), None)
    out: dict[int, dict[str, float]] = {}
    for result in good:
        if result["task"] == "rates":
            continue
        row = out.setdefault(result["p"], {})
        if result["task"] == "brute":
            row[f"brute_{result['dtype']}"] = result["seconds"]
            if rates:
                row[f"limit_brute_{result['dtype']}"] = result["operations"] / rates[result["dtype"]]
        elif "device" not in result:
            row["linear_numpy"] = result["seconds"]
        else:
            row["linear_device"] = result["seconds"]
            if rates:
                row["limit_reading_tables"] = result["table_bytes"] / rates["bytes_per_second"]
                row["limit_linear_operations"] = result["operations"] / rates["float64"]
    return out
