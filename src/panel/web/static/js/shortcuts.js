// One-letter keys for links and buttons that carry `data-key`. People who speak to their computer
// can turn them off (WCAG 2.1.4), and the choice is kept on this computer.
import { announce } from "./announce.js";

const CHOICE = "panel-shortcuts";

export function startShortcuts() {
  const toggle = document.querySelector("[data-shortcuts-toggle]");
  if (toggle !== null) {
    toggle.hidden = false;
    describe(toggle);
    toggle.addEventListener("click", () => {
      remember(areOn() ? "off" : "on");
      describe(toggle);
      announce(areOn() ? "Keyboard shortcuts are on." : "Keyboard shortcuts are off.");
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !areOn()) return;
    if (isTyping(event.target)) return;
    const control = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (control === null) return;
    event.preventDefault();
    control.click();
  });
}

function isTyping(element) {
  return element instanceof Element &&
    (element.closest("input, textarea, select") !== null || element.isContentEditable);
}

function areOn() {
  try {
    return window.localStorage.getItem(CHOICE) !== "off";
  } catch {
    return true;
  }
}

function remember(choice) {
  try {
    window.localStorage.setItem(CHOICE, choice);
  } catch {
    announce("This browser does not keep the choice.");
  }
}

function describe(toggle) {
  toggle.textContent = areOn() ? "Turn keyboard shortcuts off" : "Turn keyboard shortcuts on";
}
