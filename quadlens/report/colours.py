"""The colours of figures and pages: told apart by colour-blind readers, on light and on dark paper.

Figures are drawn in the light colours. In a page every one of them is a CSS variable whose dark value takes over where
the reader's system is dark; a figure on its own keeps the light value.
"""

INK, MUTED, GRID, PAPER = "#1f2328", "#59636e", "#d1d9e1", "#fffffe"

SERIES = ("#0b66b0", "#c24e00", "#07805c", "#9a3f80", "#8a6d00", "#5c6b7a")
"""One colour for each frequency group shown, in the order of frequency; further groups share the last, a grey."""

MARKERS = ("o", "s", "^", "D", "v", ".")
"""One marker for each, so that colour is never the only difference."""

DARK = {
    INK: "#e6edf3",
    MUTED: "#9aa7b4",
    GRID: "#39424c",
    PAPER: "#0f141a",
    SERIES[0]: "#62b0ff",
    SERIES[1]: "#ff9d5c",
    SERIES[2]: "#46d3a8",
    SERIES[3]: "#e896cf",
    SERIES[4]: "#e3c04f",
    SERIES[5]: "#a9b6c3",
}
"""What each colour becomes on dark paper."""

VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    **{colour: f"--series-{index}" for index, colour in enumerate(SERIES)},
}


def series(index: int) -> str:
    """Return the colour of the group with this index."""
    return SERIES[min(index, len(SERIES) - 1)]


def marker(index: int) -> str:
    """Return the marker of the group with this index."""
    return MARKERS[min(index, len(MARKERS) - 1)]


def stylesheet() -> str:
    """Return the CSS that defines the variables, light and dark."""
    light = " ".join(f"{name}: {colour};" for colour, name in VARIABLES.items())
    dark = " ".join(f"{name}: {DARK[colour]};" for colour, name in VARIABLES.items())
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {dark} }} }}\n"
        f"@media screen {{ :root[data-theme=dark] {{ color-scheme: dark; {dark} }} }}\n"
        ":root[data-theme=light] { color-scheme: light; }\n"
    )
