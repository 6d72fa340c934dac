"""Make the web subsets and the table of letter widths from the shipped fonts (run after changing a font).

The page carries a subset of the same fonts that the charts and the PDF use: Latin, Cyrillic with the Kazakh and
other Turkic letters, punctuation and the few signs of our charts. The widths let charts place labels exactly.
"""

from __future__ import annotations

import json
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parents[1] / "src" / "zhol" / "assets" / "fonts"
RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x2B0, 0x2FF), (0x400, 0x52F), (0x2010, 0x2027), (0x2030, 0x203A)]
SIGNS = "₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹₸₽€−×≈≤≥±←↑→↓↔●○◆◇■□▲△▼▽◐◑◔◕†‡∅✓ӘәҒғҚқҢңӨөҰұҮүҺһІі"
LETTERS = sorted({chr(c) for low, high in RANGES for c in range(low, high + 1)} | set(SIGNS))


def main() -> None:
    """Write the subsets and the widths beside the fonts."""
    widths = {}
    for style in ("", "-Bold", "-Oblique"):
        name = f"DejaVuSans{style}"
        font = TTFont(FONTS / f"{name}.ttf")
        glyphs, metrics, em = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
        if style != "-Oblique":
            key = "bold" if style else "regular"
            widths[key] = {c: round(metrics[glyphs[ord(c)]][0] / em * 1000) for c in LETTERS if ord(c) in glyphs}
        options = subset.Options(
            flavor="woff2", layout_features=["kern", "mark", "mkmk", "locl", "ccmp"], hinting=False
        )
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(LETTERS))
        cutter.subset(font)
        subset.save_font(font, str(FONTS / f"{name}.woff2"), options)
    (FONTS / "widths.json").write_text(json.dumps(widths, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
