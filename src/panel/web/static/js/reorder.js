// Rows that move: by the up and down buttons of each row's own form, or by dragging the row.
// Without this script the same form posts and the page comes back. Dragging posts the same form
// with `position`, counted from 1, in the place of `direction`.
import { announce } from "./announce.js";
import { Refused, postAndRefresh } from "./refresh.js";

let moving = null;
let busy = false;

export function startReorder() {
  addHandles();
  document.addEventListener("panel:refreshed", addHandles);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-reorder-form]")) return;
    event.preventDefault();
    const button = event.submitter;
    const chosen = button !== null && button.name ? { [button.name]: button.value } : {};
    move(form, chosen, button === null ? null : button.value);
  });
  document.addEventListener("dragstart", pickUp);
  document.addEventListener("dragover", hoverOver);
  document.addEventListener("drop", putDown);
  document.addEventListener("dragend", letGo);
}

function addHandles() {
  for (const row of document.querySelectorAll("[data-reorder-row]")) {
    const form = row.querySelector("[data-reorder-form]");
    if (form === null || row.querySelector(".panel-move__handle") !== null) continue;
    const handle = document.createElement("span");
    handle.className = "panel-move__handle";
    handle.draggable = true;
    // The buttons beside it do the same for keyboard and speech.
    handle.setAttribute("aria-hidden", "true");
    handle.title = "Drag to move";
    handle.textContent = "⠿";
    form.prepend(handle);
  }
}

async function move(form, chosen, direction) {
  if (busy) return;
  busy = true;
  const row = form.closest("[data-reorder-row]");
  const id = row === null ? null : row.id;
  try {
    await postAndRefresh(form, chosen);
    report(id, direction);
  } catch (problem) {
    announce(problem instanceof Refused
      ? `Not moved. ${problem.message}`
      : "Not moved. There is no connection; try again.");
  } finally {
    busy = false;
  }
}

function report(id, direction) {
  const row = id ? document.getElementById(id) : null;
  if (row === null) {
    announce("Moved.");
    return;
  }
  const rows = [...row.closest("[data-reorder]").querySelectorAll("[data-reorder-row]")];
  const buttons = [...row.querySelectorAll("[data-reorder-form] button")];
  const same = buttons.find((button) => button.value === direction);
  const next = same ?? buttons[0];
  if (direction !== null && next !== undefined) next.focus();
  announce(`Moved. Now ${rows.indexOf(row) + 1} of ${rows.length}.`);
}

function pickUp(event) {
  const handle = event.target instanceof Element && event.target.closest(".panel-move__handle");
  if (!handle) return;
  moving = handle.closest("[data-reorder-row]");
  moving.classList.add("panel-is-moving");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", moving.id);
  event.dataTransfer.setDragImage(moving, 0, 0);
}

function hoverOver(event) {
  const row = rowUnder(event);
  clearTargets();
  if (row === null || row === moving) return;
  event.preventDefault();
  row.classList.add(isBelow(row) ? "panel-is-target-after" : "panel-is-target");
}

function putDown(event) {
  const row = rowUnder(event);
  if (row === null || row === moving) return;
  event.preventDefault();
  const rows = rowsOf(row);
  const form = moving.querySelector("[data-reorder-form]");
  move(form, { position: String(rows.indexOf(row) + 1) }, null);
}

function letGo() {
  if (moving !== null) moving.classList.remove("panel-is-moving");
  moving = null;
  clearTargets();
}

function rowUnder(event) {
  if (moving === null || !(event.target instanceof Element)) return null;
  const row = event.target.closest("[data-reorder-row]");
  return row !== null && rowsOf(row).includes(moving) ? row : null;
}

function rowsOf(row) {
  return [...row.closest("[data-reorder]").querySelectorAll("[data-reorder-row]")];
}

function isBelow(row) {
  const rows = rowsOf(row);
  return rows.indexOf(row) > rows.indexOf(moving);
}

function clearTargets() {
  for (const row of document.querySelectorAll(".panel-is-target, .panel-is-target-after")) {
    row.classList.remove("panel-is-target", "panel-is-target-after");
  }
}
