"""The themes: calm ones for dark and light terminals, and `ansi` on the terminal's own 16."""

from textual.theme import Theme

DARK = Theme(
    name="mediahost-dark",
    dark=True,
    primary="#7ab8c9",
    secondary="#9fb0de",
    accent="#cba6dd",
    success="#93c47d",
    warning="#e0b46a",
    error="#ea8a86",
    foreground="#d8dce3",
    background="#14171c",
    surface="#1a1e25",
    panel="#252b35",
    variables={
        "block-cursor-background": "#2f4a57",
        "block-cursor-foreground": "#f2f6f8",
        "block-cursor-text-style": "none",
        "border": "#3a4350",
        "border-blurred": "#2b323c",
        "text-muted": "#949dab",
        "input-cursor-background": "#7ab8c9",
        "footer-key-foreground": "#7ab8c9",
    },
)
LIGHT = Theme(
    name="mediahost-light",
    dark=False,
    primary="#17697f",
    secondary="#4356a0",
    accent="#8a3f9c",
    success="#2f6f2a",
    warning="#8a5a00",
    error="#b3312d",
    foreground="#23272e",
    background="#faf9f6",
    surface="#f2f0eb",
    panel="#e4e1d9",
    variables={
        "block-cursor-background": "#bcdbe4",
        "block-cursor-foreground": "#10151a",
        "block-cursor-text-style": "none",
        "border": "#bdb8ad",
        "border-blurred": "#d5d1c8",
        "text-muted": "#5f6570",
        "input-cursor-background": "#17697f",
        "footer-key-foreground": "#17697f",
    },
)
THEMES = {"dark": DARK.name, "light": LIGHT.name, "ansi": "ansi-dark", "ansi-light": "ansi-light"}
