// Notes to the bytes of a .mid file: format 0, one track.
const TICKS_PER_STEP = 120; // a step is a sixteenth, so 480 ticks a quarter note

function quantity(number) {
  const bytes = [number & 127];
  for (let rest = number >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 127) | 128);
  return bytes;
}

const bigEndian = (number, size) => Array.from({ length: size }, (_, i) => (number >> (8 * (size - 1 - i))) & 255);

const metaEvent = (kind, payload) => [0, 0xff, kind, ...quantity(payload.length), ...payload];

/** tune: {title, notes, tempo in quarter notes a minute, metre such as "6/8"}. */
export function tuneToMidi({ title, notes, tempo, metre }) {
  const [beats, unit] = metre.split("/").map(Number);
  const track = [
    ...metaEvent(0x03, [...new TextEncoder().encode(title)]),
    ...metaEvent(0x51, bigEndian(Math.round(6e7 / tempo), 3)),
    ...metaEvent(0x58, [beats, Math.log2(unit), 24, 8]),
  ];
  const events = notes.flatMap(({ onset, steps, pitch }) => [
    { step: onset, order: 1, bytes: [0x90, pitch, 80] },
    { step: onset + steps, order: 0, bytes: [0x80, pitch, 64] },
  ]);
  events.sort((a, b) => a.step - b.step || a.order - b.order); // ends before beginnings
  let last = 0;
  for (const { step, bytes } of events) {
    track.push(...quantity((step - last) * TICKS_PER_STEP), ...bytes);
    last = step;
  }
  track.push(...metaEvent(0x2f, []));
  const header = [0x4d, 0x54, 0x68, 0x64, ...bigEndian(6, 4), 0, 0, 0, 1, ...bigEndian(4 * TICKS_PER_STEP, 2)];
  return new Uint8Array([...header, 0x4d, 0x54, 0x72, 0x6b, ...bigEndian(track.length, 4), ...track]);
}

/** Hand bytes to the reader as a file. */
export function download(bytes, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "audio/midi" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
