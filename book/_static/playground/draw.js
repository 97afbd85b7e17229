// Pictures of notes, and names for them.
const SVG = "http://www.w3.org/2000/svg";
const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export const nameOf = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** Words for a picture of notes. */
export function tell(notes, what) {
  if (!notes.length) return `${what}: nothing yet`;
  const pitches = notes.map((note) => note.pitch);
  return `${what}: ${notes.length} notes between ${nameOf(Math.min(...pitches))} and ${nameOf(Math.max(...pitches))}`;
}

/** Draw a piano roll into a holder; the first nOpening notes are the reader's. Returns a function that moves the playhead. */
export function drawRoll(holder, notes, nSteps, barSteps, nOpening = 0) {
  const pitches = notes.map((note) => note.pitch);
  const low = Math.min(...pitches, 60) - 1;
  const high = Math.max(...pitches, 72) + 1;
  const svg = shape("svg", { viewBox: `0 0 ${nSteps} ${high - low + 1}`, preserveAspectRatio: "none", role: "img", "aria-label": tell(notes, "Piano roll") });
  for (let step = 0; step <= nSteps; step += barSteps) {
    svg.append(shape("line", { x1: step, x2: step, y1: 0, y2: high - low + 1, class: "bar-line" }));
  }
  notes.forEach(({ onset, steps, pitch }, number) => {
    const kind = number < nOpening ? "note yours" : "note made";
    svg.append(shape("rect", { x: onset, y: high - pitch, width: Math.max(steps - 0.15, 0.3), height: 1, class: kind }));
  });
  const head = shape("line", { x1: -1, x2: -1, y1: 0, y2: high - low + 1, class: "playhead" });
  svg.append(head);
  holder.replaceChildren(svg);
  return (step) => {
    head.setAttribute("x1", step);
    head.setAttribute("x2", step);
  };
}

/** A small roll for a button of the map; hidden from screen readers, which get a label instead. */
export function smallRoll(notes, nSteps) {
  const pitches = notes.map((note) => note.pitch);
  const low = Math.min(...pitches, 64) - 1;
  const high = Math.max(...pitches, 76) + 1;
  const svg = shape("svg", { viewBox: `0 0 ${nSteps} ${high - low + 1}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const { onset, steps, pitch } of notes) {
    svg.append(shape("rect", { x: onset, y: high - pitch, width: Math.max(steps - 0.3, 0.5), height: 1, class: "note made" }));
  }
  return svg;
}

/** Let arrow keys walk over buttons in rows of `width`; only one of them is reached by Tab. */
export function walkWithArrows(buttons, width, onMove = () => {}) {
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width };
  buttons.forEach((button, number) => {
    button.tabIndex = number ? -1 : 0;
    button.addEventListener("focus", () => buttons.forEach((other) => (other.tabIndex = other === button ? 0 : -1)));
    button.addEventListener("keydown", (event) => {
      const by = moves[event.key];
      if (by === undefined) return;
      event.preventDefault();
      const target = number + by;
      const sameRow = Math.floor(target / width) === Math.floor(number / width);
      if (target < 0 || target >= buttons.length || (Math.abs(by) === 1 && width < buttons.length && !sameRow)) return;
      buttons[target].focus();
      onMove(buttons[target]);
    });
  });
}
