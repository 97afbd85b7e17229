// Solutions of exercises stay shut until asked for; names for what the theme leaves nameless; notes light up as they sound.
document.addEventListener("DOMContentLoaded", () => {
  for (const cell of document.querySelectorAll(".cell.tag_solution")) {
    const shut = document.createElement("details");
    shut.className = "solution";
    const words = document.createElement("summary");
    words.textContent = "Show one solution";
    cell.replaceWith(shut);
    shut.append(words, cell);
  }
  const name = (places, words) => document.querySelectorAll(places).forEach((node) => node.setAttribute("aria-label", words));
  name(".search-button-field", "Search Ctrl+K");
  name(".theme-switch-button", "Color mode: Light, Dark or System Settings");
  for (const toggle of document.querySelectorAll("li.has-children > details > summary")) {
    toggle.setAttribute("aria-label", `Pages below ${toggle.parentElement.previousElementSibling?.textContent ?? "this one"}`);
  }
  // a piano roll of musegen_lib/display/following.py: its notes carry the seconds in which they sound
  for (const box of document.querySelectorAll(".follow")) {
    const audio = box.querySelector("audio");
    const notes = [...box.querySelectorAll("[data-start]")];
    const mark = () => {
      for (const note of notes) {
        const { start, stop } = note.dataset;
        note.classList.toggle("sounding", audio.currentTime >= Number(start) && audio.currentTime < Number(stop));
      }
    };
    const run = () => {
      mark();
      if (!audio.paused) requestAnimationFrame(run);
    };
    audio.addEventListener("play", run);
    for (const event of ["timeupdate", "seeked"]) audio.addEventListener(event, mark);
    audio.addEventListener("ended", () => notes.forEach((note) => note.classList.remove("sounding")));
  }
});
