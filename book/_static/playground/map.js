// The map of the VAE: every square is a code, unfolded here into two bars of melody.
import { smallRoll, walkWithArrows } from "./draw.js";
import { loadNet, real } from "./melody-net.js";
import { tokensToNotes } from "./write.js";

/** Unfold codes, each an array of numbers; returns a list of 32 tokens each. */
export async function unfold(net, codes) {
  const width = codes[0].length;
  const found = [];
  for (const code of codes) {
    const { tokens } = await net.run({ z: real(code, [1, width]) });
    found.push(Array.from(tokens.data, Number));
  }
  return found;
}

/** Where a square lies, in words. */
export function placeOf(number, side) {
  const [row, column] = [Math.floor(number / side), number % side];
  return `row ${row + 1}, column ${column + 1}`;
}

/** Load the decoder, unfold every square and show them; onChoose gets (notes, place) of the square walked on. */
export async function drawMap(holder, meta, onChoose) {
  const net = await loadNet("unfold.onnx");
  const tunes = (await unfold(net, meta.codes)).map((tokens) => tokensToNotes(tokens, meta.lowest_pitch));
  const buttons = tunes.map((notes, number) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "square" });
    button.setAttribute("aria-label", `${placeOf(number, meta.map_side)}: ${notes.length} notes`);
    button.append(smallRoll(notes, 32));
    button.addEventListener("click", () => choose(button));
    return button;
  });
  const choose = (button) => {
    buttons.forEach((other) => other.setAttribute("aria-pressed", other === button));
    const number = buttons.indexOf(button);
    onChoose(tunes[number], placeOf(number, meta.map_side));
  };
  holder.style.setProperty("--side", meta.map_side);
  holder.replaceChildren(...buttons);
  walkWithArrows(buttons, meta.map_side, choose);
  return tunes;
}
