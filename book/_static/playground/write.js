// From scores to a playable tune: the rules and the drawing of musegen_lib/events.py and sampling.py.
import { END, FIRST_PITCH, REST } from "./melody-net.js";

const N_PITCHES = 44;
const N_DURATIONS = 65;

/** Random numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draw one id among those allowed. Temperature divides the scores; 0 takes the most likely. */
export function draw(logits, allowed, temperature, random) {
  const ids = [...logits.keys()].filter(allowed);
  const best = ids.reduce((a, b) => (logits[b] > logits[a] ? b : a));
  if (temperature === 0) return best;
  const weights = ids.map((id) => Math.exp((logits[id] - logits[best]) / temperature));
  let left = random() * weights.reduce((a, b) => a + b, 0);
  for (const [place, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return ids[place];
  }
  return best;
}

/** Whether a pitch id may come next: bars add up, no rest opens, follows a rest or runs into the end. */
export function mayCome(id, now, end, afterNote) {
  if (now >= end) return id === END;
  if (id === REST) return afterNote && now < end - 1;
  return id !== END;
}

/** Whether a duration fits before the end. */
export const mayLast = (steps, pitch, now, end) => steps > 0 && steps <= end - now - (pitch === REST ? 1 : 0);

/** Write a tune that begins with the opening; returns [pitch id, steps] rows without the END. */
export async function write(net, request, opening, temperature, random, onEvent = () => {}) {
  await net.start(request);
  const events = [];
  let afterNote = false;
  const push = async (pitch, steps) => {
    await net.push(pitch, steps);
    events.push([pitch, steps]);
    afterNote = pitch >= FIRST_PITCH;
    onEvent(events);
  };
  for (const [pitch, steps] of opening) await push(pitch, steps);
  if (net.now >= net.end) throw new Error("Your phrase fills all the bars; ask for more bars or shorten it.");
  while (net.now < net.end) {
    const pitch = draw(net.pitchLogits(), (id) => id < N_PITCHES && mayCome(id, net.now, net.end, afterNote), temperature, random);
    const scores = await net.durationLogits(pitch);
    const steps = draw(scores, (n) => n < N_DURATIONS && mayLast(n, pitch, net.now, net.end), temperature, random);
    await push(pitch, steps);
  }
  return events;
}

/** [pitch id, steps] rows to notes {onset, steps, pitch}. */
export function eventsToNotes(events, lowestPitch) {
  const notes = [];
  let now = 0;
  for (const [id, steps] of events) {
    if (id >= FIRST_PITCH) notes.push({ onset: now, steps, pitch: id - FIRST_PITCH + lowestPitch });
    now += steps;
  }
  return notes;
}

/** Notes back to rows, rests between them. */
export function notesToEvents(notes, lowestPitch) {
  const events = [];
  let now = 0;
  for (const { onset, steps, pitch } of notes) {
    if (onset > now) events.push([REST, onset - now]);
    events.push([pitch - lowestPitch + FIRST_PITCH, steps]);
    now = onset + steps;
  }
  return events;
}

/** The 32 tokens of the VAE (0 holds, 1 rests, from 2 on a pitch is struck) to notes; the last one fills the bar. */
export function tokensToNotes(tokens, lowestPitch) {
  const notes = [];
  let sounding = false;
  tokens.forEach((token, step) => {
    if (token >= FIRST_PITCH) notes.push({ onset: step, steps: 1, pitch: token - FIRST_PITCH + lowestPitch });
    else if (token === 0 && sounding) notes.at(-1).steps += 1;
    sounding = token >= FIRST_PITCH || (token === 0 && sounding);
  });
  if (notes.length) notes.at(-1).steps = tokens.length - notes.at(-1).onset;
  return notes;
}
