"""The colours of statuses: a fill, a tint and a text that can be read on it, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["status_rules", "verdict_rules"]

Colour = tuple[float, float, float]

_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
_DARK: Colour = (20, 23, 27)
# WCAG AA asks for 4.5; a little more, since colours are rounded.
_READABLE = 4.8


# Of the verdicts, by the first letter; those of records that are not judged have none.
_VERDICTS = {"vf": (214, 39, 40), "vw": (230, 159, 0), "vp": (44, 160, 44)}


def status_rules(colours: Iterable[tuple[int, int, int]]) -> str:
    """Return the style rules of the classes `s0`, `s1`, ..., one for each colour."""
    return _class_rules({f"s{number}": colour for number, colour in enumerate(colours)})


def verdict_rules() -> str:
    """Return the style rules of the classes `vf`, `vw` and `vp`: fail, warn and pass."""
    return _class_rules(_VERDICTS)


def _class_rules(colours: Mapping[str, tuple[int, int, int]]) -> str:
    light, dark = [], []
    for name, colour in colours.items():
        bright = max(0, _luminance(colour) - 0.4)
        fill = _mix(colour, _BLACK, 0.86) if bright else _until(colour, _WHITE, _BLACK, 1.6)
        tint = _mix(colour, _WHITE, 0.13 + 0.6 * bright)
        light.append((name, fill, tint, _until(colour, tint, _BLACK, _READABLE)))
        fill = _mix(colour, _BLACK, 0.86) if bright else _until(colour, _DARK, _WHITE, 2.5)
        tint = _mix(colour, _DARK, 0.22)
        dark.append((name, fill, tint, _until(colour, tint, _WHITE, _READABLE)))
    night = "".join(_rule(*one, prefix=":root:not([data-theme=light]) ") for one in dark)
    chosen = "".join(_rule(*one, prefix=":root[data-theme=dark] ") for one in dark)
    day = "".join(_rule(*one) for one in light)
    return f"{day}@media screen and (prefers-color-scheme:dark){{{night}}}@media screen{{{chosen}}}"


def _rule(name: str, fill: Colour, tint: Colour, text: Colour, prefix: str = "") -> str:
    return f"{prefix}.{name}{{--s:{_hex(fill)};--t:{_hex(tint)};--i:{_hex(text)}}}"


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in colour)


def _mix(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (
        part * share + rest * (1 - share) for part, rest in zip(colour, other, strict=True)
    )
    return red, green, blue


def _until(colour: Colour, ground: Colour, towards: Colour, contrast: float) -> Colour:
    """Return the colour nearest to `colour` on the way to `towards` that stands out enough."""
    for step in range(51):
        mixed = _mix(towards, colour, step / 50)
        if _contrast(mixed, ground) >= contrast:
            return mixed
    return towards


def _contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        c / 12.92 if (c := channel / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for channel in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
