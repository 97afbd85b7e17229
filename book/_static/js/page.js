// Solutions of exercises stay shut until asked for; names for what the theme leaves nameless.
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
});
