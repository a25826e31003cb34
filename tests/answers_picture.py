"""Draws a life: its states below each other, an arrow for each command that leads to another.

Arrows between neighbours stand between them, those that pass a state go round it: onward on the
left, back on the right. The picture has its own ground, so that it can be read on any page; it
follows the reader's choice of light or dark.
"""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from answers import Life, in_words, onward

WIDTH, NODE_WIDTH, NODE_HEIGHT, GAP, TOP = 440, 190, 58, 72, 24
MIDDLE, HALF = WIDTH // 2, NODE_WIDTH // 2
BEGINNING = 52  # what the command that begins a life needs above the first state
STEP = NODE_HEIGHT + GAP

STYLE = """\
.ground{fill:#f8f9fb;stroke:#d5dae1}.state{fill:#fff;stroke:#3b5b92;stroke-width:1.5}
.way{fill:none;stroke:#56616f;stroke-width:1.5}.tip{fill:#56616f}
text{font-family:system-ui,sans-serif;text-anchor:middle;fill:#1b1f24;font-size:16px}
.name{font-weight:600;font-size:18px}.command{paint-order:stroke;stroke:#f8f9fb;stroke-width:8px}
@media(prefers-color-scheme:dark){
.ground{fill:#1b1e23;stroke:#383e47}.state{fill:#262b32;stroke:#8fb1ef}
.way{stroke:#a9b3c0}.tip{fill:#a9b3c0}text{fill:#eceff4}.command{stroke:#1b1e23}}"""

TIP = """\
<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8"
 orient="auto">
<path class="tip" d="M0 0L10 5L0 10z"/>
</marker>"""


def picture(title: str, life: Life, notes: Mapping[str, str], *, begins_with: str = "") -> str:
    """Draw the states of a life, a note below the name of each.

    `begins_with` is the command that leads to the first.
    """
    above = BEGINNING if begins_with else 0
    height = above + STEP * len(life) - GAP + 2 * TOP
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(in_words(life))}</desc>',
        f"<style>\n{STYLE}\n</style>",
        TIP,
        f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>',
        f'<g transform="translate(0 {above})">',
        *_beginning(begins_with),
        *_ways(life),
        *_states(life, notes),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _top(place: int) -> int:
    return TOP + STEP * place


def _beginning(command: str) -> Iterator[str]:
    if not command:
        return
    yield f'<circle class="tip" cx="{MIDDLE}" cy="-30" r="7"/>'
    yield _way(f"M{MIDDLE} -23V{TOP}", command, MIDDLE + 12, 0, "start")


def _ways(life: Life) -> Iterator[str]:
    places = list(life)
    for state, leading in onward(life).items():
        for command, target in leading.items():
            yield _between(places.index(state), places.index(target), command)


def _between(start: int, end: int, command: str) -> str:
    side = -1 if start < end else 1  # onward on the left, back on the right
    if abs(start - end) == 1:
        x = MIDDLE + side * 36
        upper = _top(min(start, end)) + NODE_HEIGHT
        ends = (upper, upper + GAP) if start < end else (upper + GAP, upper)
        anchor = "end" if start < end else "start"
        return _way(f"M{x} {ends[0]}V{ends[1]}", command, x + side * 12, upper + GAP // 2, anchor)
    x, bow = MIDDLE + side * HALF, MIDDLE + side * (HALF + 92)
    ends = _top(start) + NODE_HEIGHT // 2, _top(end) + NODE_HEIGHT // 2
    path = f"M{x} {ends[0]}C{bow} {ends[0]} {bow} {ends[1]} {x} {ends[1]}"
    return _way(path, command, MIDDLE + side * (HALF + 69), sum(ends) // 2, "middle")


def _way(path: str, command: str, x: int, y: int, anchor: str) -> str:
    return (
        f'<path class="way" marker-end="url(#tip)" d="{path}"/>\n'
        f'<text class="command" x="{x}" y="{y + 5}" style="text-anchor:{anchor}">{command}</text>'
    )


def _states(life: Life, notes: Mapping[str, str]) -> Iterator[str]:
    for place, state in enumerate(life):
        top = _top(place)
        yield (
            f'<rect class="state" x="{MIDDLE - HALF}" y="{top}" width="{NODE_WIDTH}"'
            f' height="{NODE_HEIGHT}" rx="8"/>'
        )
        yield f'<text class="name" x="{MIDDLE}" y="{top + 25}">{escape(state)}</text>'
        yield f'<text x="{MIDDLE}" y="{top + 46}">{escape(notes[state])}</text>'
