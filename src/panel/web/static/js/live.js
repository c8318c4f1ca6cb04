// Shows what others change while a page is open, and who else is here. `<main data-live="/live/…">`
// names where to listen: an event `changed` means that the page is to be asked for again, and its
// parts with `data-refresh` and an id are put in the place of the old ones; `presence` says in words
// who is here, for every element with `data-presence`; `writing` says who is writing, in the element
// with `data-writing` that names the place, for some seconds. No content comes this way. Without this
// script the page shows what it shows when it is loaded.

import { pageOf, renewParts } from "./refresh.js";

// Milliseconds: in which several changes are asked for at once, and between attempts.
const TOGETHER = 150;
const RETRY_FIRST = 2000;
const RETRY_LONGEST = 30000;
const TELL_EVERY = 4000;
const SHOWN_FOR = 6000;

export function startLive() {
  const element = document.querySelector("[data-live]");
  if (element !== null && "EventSource" in window) new Listening(element.dataset.live);
}

class Listening {
  constructor(address) {
    this.address = address;
    this.retry = RETRY_FIRST;
    this.timer = null;
    this.connecting = null;
    this.asking = null;
    this.again = false;
    this.source = null;
    window.addEventListener("online", () => this.connect());
    // A page that is put aside keeps no connection open; shown again it looks again.
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.connect();
    });
    document.addEventListener("panel:sent", () => this.askSoon());
    this.told = -TELL_EVERY;
    document.addEventListener("input", (event) => this.tellWriting(event.target));
    this.connect();
  }

  connect() {
    this.leave();
    this.source = new EventSource(this.address);
    this.source.addEventListener("open", () => {
      this.retry = RETRY_FIRST;
      document.dispatchEvent(new CustomEvent("panel:connected"));
    });
    this.source.addEventListener("changed", () => this.askSoon());
    this.source.addEventListener("presence", (event) => showPresence(JSON.parse(event.data).words));
    this.source.addEventListener("writing", (event) => showWriting(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.lost());
  }

  lost() {
    showPresence("");
    // The browser itself tries again after a lost connection, but not after an answer that is no
    // stream: signed out, or a server that is just starting.
    if (this.source.readyState !== EventSource.CLOSED) return;
    window.clearTimeout(this.connecting);
    this.connecting = window.setTimeout(() => this.connect(), this.retry);
    this.retry = Math.min(this.retry * 2, RETRY_LONGEST);
  }

  leave() {
    window.clearTimeout(this.connecting);
    if (this.source !== null) this.source.close();
  }

  // The others learn where somebody writes, and not what. Lost, it is told again with the next words.
  tellWriting(field) {
    const form = field.closest("form");
    const place = form?.querySelector("[data-writing]")?.dataset.writing;
    if (place === undefined || performance.now() - this.told < TELL_EVERY) return;
    this.told = performance.now();
    const token = form.querySelector("input[name=_csrf_token]").value;
    fetch(`${this.address}/writing`, {
      method: "POST",
      body: new URLSearchParams({ _csrf_token: token, place }),
      credentials: "same-origin",
    }).catch(() => undefined);
  }

  askSoon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), TOGETHER);
  }

  async ask() {
    if (this.asking !== null) {
      this.again = true;
      return;
    }
    this.asking = askForPage();
    await this.asking;
    this.asking = null;
    if (this.again) {
      this.again = false;
      this.askSoon();
    }
  }
}

async function askForPage() {
  try {
    const answer = await fetch(window.location.href, {
      // What others write must not keep an unattended session alive.
      headers: { Accept: "text/html", "X-Panel-By-Itself": "yes" },
      credentials: "same-origin",
    });
    // Any other answer is not this page: what is shown stays, and what is typed with it.
    if (answer.ok) renewParts(pageOf(await answer.text()));
  } catch {
    // No network: the next `open` asks again.
  }
}

function showPresence(words) {
  for (const element of document.querySelectorAll("[data-presence]")) {
    element.hidden = words === "";
    if (element.textContent !== words) element.textContent = words;
  }
}

const writing = new Map();

// Seen and not read out: somebody who listens to the page would hear nothing else.
function showWriting({ name, place }) {
  const element = [...document.querySelectorAll("[data-writing]")].find(
    (one) => one.dataset.writing === place,
  );
  if (element === undefined) return;
  const names = writing.get(element) ?? new Map();
  writing.set(element, names);
  window.clearTimeout(names.get(name));
  const forget = () => {
    names.delete(name);
    sayWriting(element, [...names.keys()]);
  };
  names.set(name, window.setTimeout(forget, SHOWN_FOR));
  sayWriting(element, [...names.keys()]);
}

function sayWriting(element, names) {
  element.hidden = names.length === 0;
  const who = new Intl.ListFormat("en-GB").format(names);
  element.textContent = `${who} ${names.length > 1 ? "are" : "is"} writing under ${element.dataset.under}`;
}
