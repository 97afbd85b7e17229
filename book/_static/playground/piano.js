// A small piano: click, tap, or walk with the arrow keys and press Enter.
import { drawRoll, nameOf, walkWithArrows } from "./draw.js";

const LOWEST = 60;
const HIGHEST = 79;
const BLACK = new Set([1, 3, 6, 8, 10]);

/** Draw the keys into a holder; onKey gets the pitch. */
export function drawPiano(holder, onKey) {
  const buttons = [];
  let white = 0;
  const pitches = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, i) => LOWEST + i);
  const nWhite = pitches.filter((pitch) => !BLACK.has(pitch % 12)).length;
  for (const pitch of pitches) {
    const black = BLACK.has(pitch % 12);
    const button = Object.assign(document.createElement("button"), { type: "button", className: black ? "key black" : "key white" });
    button.setAttribute("aria-label", nameOf(pitch));
    button.dataset.pitch = pitch;
    button.style.left = `${((black ? white - 0.32 : white) / nWhite) * 100}%`;
    button.style.width = `${((black ? 0.64 : 1) / nWhite) * 100}%`;
    if (!black) white += 1;
    if (pitch % 12 === 0) button.textContent = nameOf(pitch);
    button.addEventListener("click", () => onKey(pitch));
    buttons.push(button);
    holder.append(button);
  }
  walkWithArrows(buttons, buttons.length);
}

/** The phrase that the reader enters, note after note. */
export class Phrase {
  constructor() {
    this.notes = [];
    this.end = 0;
  }

  add(pitch, steps) {
    this.notes.push({ onset: this.end, steps, pitch });
    this.end += steps;
  }

  rest(steps) {
    if (this.notes.length) this.end += steps;
  }

  undo() {
    const last = this.notes.pop();
    this.end = last ? last.onset : 0;
  }

  replace(notes) {
    this.notes = notes.map((note) => ({ ...note }));
    this.end = notes.length ? notes.at(-1).onset + notes.at(-1).steps : 0;
  }

  draw(holder, nSteps, barSteps) {
    return drawRoll(holder, this.notes, nSteps, barSteps, this.notes.length);
  }
}
