// The playground page: what its buttons do.
import { drawRoll, nameOf, tell } from "./draw.js";
import { drawMap } from "./map.js";
import { loadJson, MelodyNet } from "./melody-net.js";
import { download, tuneToMidi } from "./midi.js";
import { drawPiano, Phrase } from "./piano.js";
import { Sound } from "./sound.js";
import { eventsToNotes, notesToEvents, randomFrom, write } from "./write.js";

const page = document.getElementById("play");
const $ = (name) => document.querySelector(`[data-is="${name}"]`);
const sound = new Sound();
const phrase = new Phrase();
const MAP_TEMPO = 100;
let meta, net, tune, square;

const say = (text) => ($("status").textContent = text);
const chosen = (name) => document.querySelector(`.play [name="${name}"]:checked`).value;

/** Run something that may fail, and say so in words. */
function guarded(work) {
  return async () => {
    try {
      await work();
    } catch (error) {
      say(`That did not work: ${error.message}`);
      console.warn(error);
    } finally {
      page.removeAttribute("aria-busy");
    }
  };
}

async function loadMeta() {
  meta ??= await loadJson("meta.json");
  return meta;
}

async function loadRnn() {
  if (net) return net;
  page.setAttribute("aria-busy", "true");
  say("Fetching the net, 18 MB at the first use…");
  net = await MelodyNet.load(await loadMeta());
  return net;
}

function request() {
  const [style, metre] = [$("style").value, $("metre").value];
  return { style, metre, key: `${$("tonic").value} ${$("mode").value}`, pickup: 0, bars: Number($("bars").value) };
}

const barSteps = (metre) => metre.split("/").reduce((beats, unit) => (16 * beats) / unit);

function showPhrase() {
  const bar = barSteps($("metre").value);
  phrase.draw($("phrase"), Math.max(2 * bar, Math.ceil(phrase.end / bar) * bar), bar);
  $("phrase-words").textContent = phrase.notes.map((note) => nameOf(note.pitch)).join(" ") || "No note yet: the net may also begin alone.";
}

function showTune(made) {
  tune = made;
  const bar = barSteps(made.metre);
  const moveHead = drawRoll($("tune"), made.notes, made.nSteps, bar, made.nOpening);
  $("tune-words").textContent = `${tell(made.notes, "The tune")}; yours: ${made.nOpening}; seed ${made.seed}, temperature ${made.temperature}.`;
  for (const name of ["play", "stop", "midi"]) $(name).disabled = false;
  return moveHead;
}

async function compose() {
  const wanted = request();
  const started = performance.now();
  await sound.wake(); // while the press of the button still counts as one
  const player = await loadRnn();
  const [seed, temperature] = [Number($("seed").value), Number($("temperature").value)];
  const opening = notesToEvents(phrase.notes, meta.lowest_pitch);
  say("Writing…");
  const events = await write(player, wanted, opening, temperature, randomFrom(seed));
  const notes = eventsToNotes(events, meta.lowest_pitch);
  const nSteps = wanted.bars * player.barSteps;
  const title = `rnn ${wanted.style}, seed ${seed}`;
  showTune({ ...wanted, notes, nSteps, title, seed, temperature, nOpening: phrase.notes.length, tempo: meta.tempos[`${wanted.style} ${wanted.metre}`] });
  say(`${notes.length} notes in ${((performance.now() - started) / 1000).toFixed(1)} s. Change the seed to hear another.`);
  await playTune();
}

async function playTune() {
  const moveHead = showTune(tune);
  await sound.play(tune.notes, 60 / tune.tempo / 4, moveHead, () => moveHead(-1));
}

async function openMap() {
  await sound.wake();
  page.setAttribute("aria-busy", "true");
  say("Fetching the decoder and unfolding the map…");
  await drawMap($("map"), await loadMeta(), (notes, place) => {
    square = notes;
    const moveHead = drawRoll($("square"), notes, 32, 16);
    $("square-words").textContent = `${tell(notes, place)}: ${notes.map((note) => nameOf(note.pitch)).join(" ")}`;
    for (const name of ["square-midi", "square-on"]) $(name).disabled = false;
    sound.play(notes, 60 / MAP_TEMPO / 4, moveHead, () => moveHead(-1));
  });
  $("open-map").hidden = true;
  $("map").querySelector("button").focus();
  say("The map is open: walk with the arrow keys, or press any square.");
}

function continueSquare() {
  phrase.replace(square);
  $("metre").value = "4/4";
  Object.assign($("tonic"), { value: "G" });
  $("mode").value = "major";
  showPhrase();
  say("The two bars are now your phrase; the RNN goes on from there.");
  return compose();
}

function fillChoices() {
  const fill = (name, values, value) => {
    $(name).replaceChildren(...values.map((text) => new Option(text, text)));
    $(name).value = value;
  };
  fill("style", meta.styles, "irish");
  fill("metre", ["2/4", "3/4", "4/4", "6/8"], "4/4");
  fill("tonic", ["C", "D", "Eb", "E", "F", "G", "A", "Bb", "B"], "G");
  fill("mode", meta.modes, "major");
  fill("bars", ["4", "8", "12", "16"], "8");
  document.querySelectorAll("[data-corner]").forEach((node) => (node.textContent = meta.corners[Number(node.dataset.corner)]));
}

function connect() {
  drawPiano($("piano"), (pitch) => {
    phrase.add(pitch, Number(chosen("length")));
    sound.wake().then(() => sound.strike(pitch));
    showPhrase();
  });
  const on = (name, work) => $(name).addEventListener("click", guarded(work));
  on("rest", () => phrase.rest(Number(chosen("length"))));
  on("undo", () => (phrase.undo(), showPhrase()));
  on("clear", () => (phrase.replace([]), showPhrase()));
  on("write", compose);
  on("another", () => (($("seed").value = Number($("seed").value) + 1), compose()));
  on("play", playTune);
  on("stop", () => sound.stop());
  on("midi", () => download(tuneToMidi(tune), `musegen_${tune.style}_${tune.seed}.mid`));
  on("open-map", openMap);
  on("square-midi", () => download(tuneToMidi({ title: "vae map", notes: square, tempo: MAP_TEMPO, metre: "4/4" }), "musegen_map.mid"));
  on("square-on", continueSquare);
  $("temperature").addEventListener("input", () => ($("temperature-now").textContent = $("temperature").value));
  $("metre").addEventListener("change", showPhrase);
}

if (location.protocol === "file:") {
  say("Browsers load no nets from a file. Run: python -m http.server -d book/_build/html, and open localhost:8000.");
} else {
  guarded(async () => {
    await loadMeta();
    fillChoices();
    connect();
    showPhrase();
    page.dataset.ready = "yes";
    say("Ready. Nothing large is fetched before you ask for music.");
  })();
}
window.playground = { sound, tune: () => tune, phrase }; // for the tests of the book
