// Privacy mode for a shared screen: everything with `data-initials` shows its initials instead.
// The choice lasts as long as the tab; no name is stored.
import { announce } from "./announce.js";

const CHOICE = "panel-privacy";
const names = new WeakMap();

export function startPrivacy() {
  const toggle = document.querySelector("[data-privacy-toggle]");
  if (toggle === null) return;
  toggle.hidden = false;
  show(toggle, isOn());
  toggle.addEventListener("click", () => {
    remember(!isOn());
    show(toggle, isOn());
    announce(isOn() ? "Names are hidden." : "Names are shown.");
  });
  document.addEventListener("panel:refreshed", () => show(toggle, isOn()));
}

function show(toggle, hidden) {
  for (const element of document.querySelectorAll("[data-initials]")) {
    if (!names.has(element)) names.set(element, element.textContent);
    element.textContent = hidden ? element.dataset.initials : names.get(element);
  }
  toggle.setAttribute("aria-pressed", String(hidden));
}

let chosen = false;

function isOn() {
  try {
    return window.sessionStorage.getItem(CHOICE) === "on";
  } catch {
    return chosen;
  }
}

function remember(on) {
  chosen = on;
  try {
    window.sessionStorage.setItem(CHOICE, on ? "on" : "off");
  } catch {
    announce("This browser forgets the choice when the page changes.");
  }
}
