// Notes to sound with the browser's own oscillators: nothing to load.
const ATTACK = 0.008; // seconds
const RELEASE = 0.12;
const PARTIALS = [1, 0.45, 0.2, 0.09, 0.05];

export class Sound {
  /** The context is made at the first sound: browsers allow none before the reader has pressed something. */
  wake() {
    if (!this.context) {
      this.context = new AudioContext();
      this.out = new GainNode(this.context, { gain: 0.5 });
      this.meter = new AnalyserNode(this.context, { fftSize: 1024 });
      this.out.connect(new DynamicsCompressorNode(this.context)).connect(this.meter).connect(this.context.destination);
      const sine = new Float32Array(PARTIALS.length + 1);
      this.wave = this.context.createPeriodicWave(sine, Float32Array.from([0, ...PARTIALS]));
    }
    return this.context.resume();
  }

  /** Play notes in time; returns at once. onStep gets the step that sounds, onEnd comes after the last note or a stop. */
  async play(notes, secondsPerStep, onStep = () => {}, onEnd = () => {}) {
    await this.wake();
    this.stop();
    const start = this.context.currentTime + 0.06;
    const run = { notes: notes.map((note) => this.strike(note.pitch, start + note.onset * secondsPerStep, note.steps * secondsPerStep)), onEnd };
    this.run = run;
    const length = Math.max(...notes.map((note) => note.onset + note.steps));
    const follow = () => {
      if (this.run !== run) return;
      const step = (this.context.currentTime - start) / secondsPerStep;
      if (step >= length) this.stop();
      else {
        onStep(Math.max(0, step));
        requestAnimationFrame(follow);
      }
    };
    requestAnimationFrame(follow);
  }

  /** One note, now or later. */
  strike(pitch, at = this.context.currentTime, seconds = 0.4) {
    const tone = new OscillatorNode(this.context, { frequency: 440 * 2 ** ((pitch - 69) / 12) });
    tone.setPeriodicWave(this.wave);
    const loud = new GainNode(this.context, { gain: 0 });
    const end = at + Math.max(seconds - 0.02, 0.05);
    loud.gain.setValueAtTime(0, at);
    loud.gain.linearRampToValueAtTime(0.6, at + ATTACK);
    loud.gain.exponentialRampToValueAtTime(0.18, Math.max(end, at + ATTACK + 0.01));
    loud.gain.exponentialRampToValueAtTime(0.0005, end + RELEASE);
    tone.connect(loud).connect(this.out);
    tone.start(at);
    tone.stop(end + RELEASE);
    return tone;
  }

  stop() {
    const run = this.run;
    this.run = null;
    for (const tone of run?.notes ?? []) tone.stop();
    run?.onEnd();
  }

  /** Loudness right now: 0 is silence. */
  level() {
    if (!this.meter) return 0;
    const samples = new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  }
}
