// The melody RNN in the browser, one event at a time. The same arithmetic as musegen_lib/models/rnn.py: RNNStream.
import * as ort from "../ort/ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1; // works on any host: threads would need special headers
ort.env.wasm.wasmPaths = new URL("../ort/", import.meta.url).href;

export const REST = 0;
export const END = 1;
export const FIRST_PITCH = 2;
const START = 44; // read before the first event
const NEAR_STEPS = 32;
const MOST_LEFT = 65;
const NO_TONIC = 12;
const TONICS = { C: 0, "C#": 1, Db: 1, D: 2, "D#": 3, Eb: 3, E: 4, F: 5, "F#": 6, Gb: 6, G: 7, "G#": 8, Ab: 8, A: 9, "A#": 10, Bb: 10, B: 11 };

const netUrl = (name) => new URL(`../nets/${name}`, import.meta.url).href;

export async function loadJson(name) {
  const answer = await fetch(netUrl(name));
  if (!answer.ok) throw new Error(`${name}: the server says ${answer.status}`);
  return answer.json();
}

export const loadNet = (name) => ort.InferenceSession.create(netUrl(name), { executionProviders: ["wasm"] });

const whole = (numbers, shape) => new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), shape);

export const real = (numbers, shape) => new ort.Tensor("float32", Float32Array.from(numbers), shape);

/** Number the time left: by steps when near the end, by bars before that; as `count_down` in melody_batches.py. */
export function countDown(now, end, barSteps) {
  const steps = end - now;
  const count = steps <= NEAR_STEPS ? steps + 1 : NEAR_STEPS + 1 + Math.ceil(steps / barSteps);
  return Math.min(Math.max(count, 1), MOST_LEFT);
}

export class MelodyNet {
  static async load(meta) {
    const [step, duration] = await Promise.all([loadNet("step.onnx"), loadNet("duration.onnx")]);
    return new MelodyNet(meta, step, duration);
  }

  constructor(meta, step, duration) {
    Object.assign(this, { meta, step, duration });
  }

  /** Begin a tune. request: style, metre, key such as "G major", pickup in steps, bars. */
  async start(request) {
    const metre = this.meta.metres.indexOf(request.metre);
    this.barSteps = this.meta.bar_steps[metre];
    this.now = (this.barSteps - (request.pickup ?? 0)) % this.barSteps;
    this.end = this.now + request.bars * this.barSteps;
    const [tonic, mode] = request.key.split(" ");
    const labels = [this.meta.styles.indexOf(request.style), metre, TONICS[tonic] ?? NO_TONIC, this.meta.modes.indexOf(mode)];
    if (labels.some((label) => label < 0)) throw new Error(`the net does not know ${JSON.stringify(request)}`);
    this.plan = whole(labels, [4]);
    this.written = new Map(); // step -> what began there
    const width = 384;
    this.state = { hidden: real(new Float32Array(width), [1, 1, width]), cell: real(new Float32Array(width), [1, 1, width]) };
    await this.advance(START, 0);
  }

  /** Scores of the 44 pitch ids for the next event. */
  pitchLogits() {
    return this.scores.pitch_logits.data;
  }

  /** Scores of the 65 durations, once the pitch is chosen. */
  async durationLogits(pitch) {
    const found = await this.duration.run({ features: this.scores.features, pitch: whole([pitch], [1, 1]), plan: this.plan });
    return found.duration_logits.data;
  }

  /** Append an event. */
  async push(pitch, duration) {
    if (!this.written.has(this.now)) this.written.set(this.now, [pitch, duration]);
    this.now += duration;
    await this.advance(pitch, duration);
  }

  async advance(pitch, duration) {
    const found = this.meta.lags.map((lag) => this.written.get(this.now - lag * this.barSteps) ?? [START, 0]);
    this.scores = await this.step.run({
      event: whole([pitch, duration], [2]),
      now: whole([this.now], [1, 1]),
      left: whole([countDown(this.now, this.end, this.barSteps)], [1, 1]),
      back: whole([...found.map((event) => event[0]), ...found.map((event) => event[1])], [2, found.length]),
      plan: this.plan,
      ...this.state,
    });
    this.state = { hidden: this.scores.next_hidden, cell: this.scores.next_cell };
  }
}
