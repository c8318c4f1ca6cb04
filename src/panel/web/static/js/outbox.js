// Sends what is added to a page without leaving it, and loses nothing when the network is cut, the
// server is away, or the session ends in the middle of a word.
//
// `<form data-contribution>` with a hidden `client_id` is posted by fetch, in order. What cannot be
// sent is kept on this computer and tried again: when the network is back, and with growing pauses.
// The server keeps a client_id once, so sending twice is sending once. What is being typed is kept
// as well, and is in its field again when the same person opens the page again.
//
// A button of such a form that leads on (it has a `formaction`) sends first what stands in any of
// them, and leads on when all of it is saved. Fields that belong to another form of the page, so that
// without scripts one press sends what stands in both, are taken back into their own.
//
// What is kept is in IndexedDB, sealed with AES-GCM under a key that leaves the page in no way: it
// is made from what the server gives this signed-in person in <meta name="panel-drafts">. Another
// person at the same computer finds nothing that they can read. Where the browser has no such store,
// words are kept in memory, and leaving the page is warned of. Without this script the form posts
// as usual.

import { headingOf, pageOf, renewParts } from "./refresh.js";
import { SaveStatus, timeNow } from "./status.js";

const FORMS = "form[data-contribution]";
// Milliseconds: without typing before a draft is kept, between attempts, for one answer, and for
// which what was kept stays on this computer.
const PAUSE = 300;
const RETRY_FIRST = 1000;
const RETRY_LONGEST = 30000;
const PATIENCE = 20000;
const KEPT_FOR = 14 * 24 * 60 * 60 * 1000;
const WAITING = "waiting";
const DRAFTS = "drafts";
const KEPT = "Kept on this computer until the connection is back";
const SIGNED_OUT = "You are signed out. Your words are kept: sign in again on this computer, and they"
  + " are sent";
const IN_MEMORY = "Kept on this page until the connection is back. Do not close it";

export async function startOutbox() {
  const material = keyOf(document);
  if (material === "" && document.querySelector(FORMS) === null) return;
  const outbox = new Outbox(await openStore(material));
  outbox.takeAll();
  document.addEventListener("panel:refreshed", () => outbox.takeAll());
  await outbox.start();
}

// Sealed, on this computer -------------------------------------------------------------------------

async function openStore(material) {
  if (material === "" || !window.isSecureContext || !("indexedDB" in window)) return new InMemory();
  try {
    return await Sealed.open(Uint8Array.from(atob(material), (letter) => letter.charCodeAt(0)));
  } catch {
    return new InMemory();
  }
}

class InMemory {
  constructor() {
    this.lasts = false;
    this.rows = { [WAITING]: new Map(), [DRAFTS]: new Map() };
    this.next = 1;
  }

  async all(name) {
    return [...this.rows[name]].map(([id, row]) => ({ ...row, id }));
  }

  async addInsteadOf(row, draft) {
    this.rows[DRAFTS].delete(draft);
    this.rows[WAITING].set(this.next++, row);
  }

  async place(words) {
    return words;
  }

  async put(name, id, row) {
    this.rows[name].set(id, row);
  }

  async remove(name, id) {
    this.rows[name].delete(id);
  }
}

class Sealed {
  static async open(material) {
    const bytes = new TextEncoder().encode("owner");
    const base = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveKey", "deriveBits"]);
    const from = (info) => ({
      name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(info),
    });
    const sealing = await crypto.subtle.deriveKey(
      from("seal"), base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"],
    );
    const naming = await crypto.subtle.deriveKey(
      from("name"), base, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"],
    );
    const owner = hex(await crypto.subtle.sign("HMAC", naming, bytes));
    const store = new Sealed(await database(), sealing, naming, owner);
    await store.forgetOld();
    return store;
  }

  constructor(opened, sealing, naming, owner) {
    this.lasts = true;
    this.database = opened;
    this.sealing = sealing;
    this.naming = naming;
    this.owner = owner;
  }

  // A name under which a draft is found again, that tells nobody else of whom it is.
  async place(words) {
    return hex(await crypto.subtle.sign("HMAC", this.naming, new TextEncoder().encode(words)));
  }

  async all(name) {
    const rows = await this.ask(name, "readonly", (store) => store.index("owner").getAll(this.owner));
    const opened = await Promise.all(rows.map((row) => this.opened(row)));
    return opened.filter((row) => row !== null);
  }

  // Both or neither: words are a draft or they wait to be sent, never both and never neither.
  async addInsteadOf(row, draft) {
    const sealed = await this.sealed(row);
    await this.ask([WAITING, DRAFTS], "readwrite", (waiting, drafts) => {
      drafts.delete(draft);
      return waiting.add(sealed);
    });
  }

  async put(name, id, row) {
    const sealed = await this.sealed(row);
    await this.ask(name, "readwrite", (store) => store.put({ ...sealed, id }));
  }

  async remove(name, id) {
    await this.ask(name, "readwrite", (store) => store.delete(id));
  }

  async sealed(row) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify(row));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.sealing, plain);
    return { owner: this.owner, at: Date.now(), iv, sealed };
  }

  async opened(row) {
    try {
      const plain = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: row.iv }, this.sealing, row.sealed,
      );
      return { ...JSON.parse(new TextDecoder().decode(plain)), id: row.id, at: row.at };
    } catch {
      return null;
    }
  }

  async forgetOld() {
    const old = IDBKeyRange.upperBound(Date.now() - KEPT_FOR);
    for (const name of [WAITING, DRAFTS]) {
      const keys = await this.ask(name, "readonly", (store) => store.index("at").getAllKeys(old));
      for (const key of keys) await this.remove(name, key);
    }
  }

  ask(names, mode, work) {
    return new Promise((done, failed) => {
      const transaction = this.database.transaction(names, mode, { durability: "strict" });
      const request = work(...[names].flat().map((name) => transaction.objectStore(name)));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = transaction.onerror = () => failed(transaction.error);
    });
  }
}

function database() {
  return new Promise((done, failed) => {
    const request = indexedDB.open("panel-kept", 1);
    request.onupgradeneeded = () => {
      for (const [name, options] of [[WAITING, { keyPath: "id", autoIncrement: true }], [DRAFTS, { keyPath: "id" }]]) {
        const store = request.result.createObjectStore(name, options);
        store.createIndex("owner", "owner");
        store.createIndex("at", "at");
      }
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
    request.onblocked = () => failed(new Error("blocked"));
  });
}

function hex(bytes) {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Forms --------------------------------------------------------------------------------------------

class Outbox {
  constructor(store) {
    this.store = store;
    this.forms = new Set();
    this.retry = RETRY_FIRST;
    this.timer = null;
    this.sending = null;
    this.again = false;
    this.leads = false;
    window.addEventListener("online", () => this.sendNow());
    document.addEventListener("panel:connected", () => this.sendNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.sendNow();
    });
    window.addEventListener("beforeunload", (event) => this.warn(event));
  }

  takeAll() {
    for (const known of this.forms) if (!known.form.isConnected) this.forms.delete(known);
    for (const form of document.querySelectorAll(FORMS)) {
      if ([...this.forms].some((known) => known.form === form)) continue;
      const taken = new Contribution(form, this);
      this.forms.add(taken);
      taken.offerDraft();
    }
  }

  async start() {
    const waiting = await this.store.all(WAITING);
    if (waiting.length > 0) this.sendNow();
  }

  async add(item) {
    await this.store.addInsteadOf(item, await this.store.place(item.place));
    this.sendNow();
  }

  // Nothing that was typed stays behind on a page that somebody is done with.
  async leadOn(button) {
    const forms = [...this.forms];
    for (const known of forms) known.post();
    await Promise.all(forms.map((known) => known.keeping));
    this.sendNow();
    while (this.sending !== null) await this.sending;
    const [waiting] = await this.store.all(WAITING);
    if (waiting !== undefined) {
      const form = this.formOf(waiting) ?? forms[0];
      form.say(`${form.status.line.textContent}. Then press “${button.textContent.trim()}” again`, "trouble");
    } else if (forms.every((known) => known.isEmpty())) {
      this.leads = true;
      button.form.requestSubmit(button);
      this.leads = false;
    }
  }

  sendNow() {
    this.retry = RETRY_FIRST;
    window.clearTimeout(this.timer);
    this.send();
  }

  // One at a time over every tab of this browser, in the order in which they were written.
  async send() {
    if (this.sending !== null) {
      this.again = true;
      return;
    }
    this.sending = this.oneTabAtATime(() => this.sendAll());
    await this.sending;
    this.sending = null;
    if (this.again) {
      this.again = false;
      this.send();
    }
  }

  async oneTabAtATime(work) {
    if (!("locks" in navigator)) await work();
    else await navigator.locks.request("panel-outbox", work);
  }

  async sendAll() {
    for (const item of await this.store.all(WAITING)) {
      const outcome = await this.post(item);
      if (outcome === "later") {
        this.tryLater();
        return;
      }
      if (outcome === "signed out") return;
      await this.store.remove(WAITING, item.id);
    }
  }

  tryLater() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.send(), this.retry);
    this.retry = Math.min(this.retry * 2, RETRY_LONGEST);
  }

  async post(item) {
    let answer = await posted(item);
    // A form of an earlier sign-in is answered with 409: it is read once more before it is taken.
    if ([401, 403, 409].includes(answer?.status)) {
      const standing = await signedInStill();
      if (standing === "later") answer = null;
      if (standing === "anew") answer = await posted(item);
      if (standing === "out") {
        this.say(item, SIGNED_OUT, "trouble");
        return "signed out";
      }
    }
    if (answer === null || answer.status >= 500 || [408, 429].includes(answer.status)) {
      this.say(item, this.store.lasts ? KEPT : IN_MEMORY, "trouble");
      return "later";
    }
    if (answer.ok) {
      this.say(item, `Saved ${timeNow()}`, "saved");
      renewParts(pageOf(await answer.text()));
      document.dispatchEvent(new CustomEvent("panel:sent"));
      return "sent";
    }
    await this.giveBack(item, reasonIn(pageOf(await answer.text())));
    return "refused";
  }

  // What the server does not take goes back to where it was typed, with the reason.
  async giveBack(item, reason) {
    const form = this.formOf(item);
    const why = `Not saved. ${reason || "The server did not accept this"}`;
    if (form !== null) {
      form.fill(item.fields);
      form.say(why, "trouble");
      await form.keep();
    } else {
      await this.store.put(DRAFTS, await this.store.place(item.place), { fields: item.fields });
    }
  }

  formOf(item) {
    return [...this.forms].find((one) => one.place === item.place) ?? null;
  }

  say(item, sentence, state) {
    const form = this.formOf(item) ?? [...this.forms][0];
    if (form !== undefined) form.say(sentence, state);
  }

  warn(event) {
    if (!this.store.lasts && this.store.rows[WAITING].size > 0) event.preventDefault();
  }
}

// The token of the page as it is now: what was written before a new sign-in has an older one.
async function posted(item) {
  const body = new URLSearchParams(item.hidden.concat(item.fields));
  const token = document.querySelector("input[name=_csrf_token]")?.value;
  if (token !== undefined) body.set("_csrf_token", token);
  try {
    return await fetch(item.address, {
      method: "POST",
      body,
      headers: { Accept: "text/html" },
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    return null;
  }
}

// A refusal of the form, or of the person? This page, asked for again, tells: "in" still, so it is
// of the form; "anew", with the token of another sign-in, which is put in the place of the old one;
// "out", or somebody else is signed in now; "later" where nothing answers.
async function signedInStill() {
  let answer;
  try {
    answer = await fetch(window.location.href, {
      credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    return "later";
  }
  const page = pageOf(await answer.text());
  if (!answer.ok || keyOf(page) !== keyOf(document)) return "out";
  const fresh = page.querySelector("input[name=_csrf_token]")?.value;
  const stale = document.querySelector("input[name=_csrf_token]")?.value;
  if (fresh === undefined || fresh === stale) return "in";
  for (const field of document.querySelectorAll("input[name=_csrf_token]")) field.value = fresh;
  return "anew";
}

// A page that shows the form again lists its mistakes; any other says in its heading what is wrong.
function reasonIn(page) {
  const mistake = page.querySelector(".govuk-error-summary__list a");
  return mistake?.textContent.trim() || headingOf(page);
}

function keyOf(page) {
  return page.querySelector('meta[name="panel-drafts"]')?.content ?? "";
}

class Contribution {
  constructor(form, outbox) {
    this.form = form;
    this.outbox = outbox;
    this.timer = null;
    for (const field of form.querySelectorAll("[form]")) field.removeAttribute("form");
    this.place = placeOf(form);
    this.unkept = false;
    this.keeping = Promise.resolve();
    this.status = new SaveStatus(form);
    // The browser notes what is typed in its file of open tabs, for everybody to read, except here.
    if (outbox.store.lasts) form.autocomplete = "off";
    form.addEventListener("input", () => this.keepSoon());
    form.addEventListener("change", () => this.keepSoon());
    form.addEventListener("focusout", () => this.keepNow());
    form.addEventListener("submit", (event) => this.submit(event));
    window.addEventListener("pagehide", () => this.keepNow());
    document.addEventListener("visibilitychange", () => this.keepNow());
  }

  fields() {
    const hidden = new Set(this.hidden().map(([name]) => name));
    return [...new FormData(this.form)].filter(
      ([name, value]) => !hidden.has(name) && typeof value === "string",
    );
  }

  hidden() {
    return [...this.form.querySelectorAll("input[type=hidden][name]")].map(
      (field) => [field.name, field.value],
    );
  }

  isEmpty() {
    return [...this.form.querySelectorAll("textarea")].every((area) => area.value.trim() === "");
  }

  keepSoon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.keepNow(), PAUSE);
    this.unkept = true;
  }

  keepNow() {
    if (this.unkept) this.keep();
  }

  // One after the other, so that an older draft never lies over a newer one.
  keep() {
    window.clearTimeout(this.timer);
    this.unkept = false;
    this.keeping = this.keeping.then(() => this.write().catch(() => undefined));
    return this.keeping;
  }

  async write() {
    const id = await this.outbox.store.place(this.place);
    if (this.isEmpty()) await this.outbox.store.remove(DRAFTS, id);
    else await this.outbox.store.put(DRAFTS, id, { fields: this.fields() });
  }

  async offerDraft() {
    const id = await this.outbox.store.place(this.place);
    const draft = (await this.outbox.store.all(DRAFTS)).find((row) => row.id === id);
    if (draft === undefined || !this.isEmpty()) return;
    this.fill(draft.fields);
    this.say("Your words from before are here again. They are not sent yet", "kept");
  }

  fill(fields) {
    const typed = this.isEmpty() ? "" : "\n\n";
    for (const box of this.form.querySelectorAll("[type=checkbox], [type=radio]")) {
      box.checked = fields.some(([name, value]) => name === box.name && value === box.value);
    }
    for (const [name, value] of fields) {
      const field = this.form.elements.namedItem(name);
      if (field instanceof HTMLTextAreaElement) field.value = value + typed + field.value;
      else if (field instanceof HTMLSelectElement) field.value = value;
      else if (field instanceof HTMLInputElement && !field.matches("[type=checkbox], [type=radio]")) field.value = value;
    }
  }

  submit(event) {
    if (this.outbox.leads) return;
    event.preventDefault();
    if (event.submitter?.hasAttribute("formaction")) this.outbox.leadOn(event.submitter);
    else this.post();
  }

  post() {
    if (this.isEmpty()) return;
    const item = {
      address: this.form.action,
      place: this.place,
      hidden: this.hidden(),
      fields: this.fields(),
    };
    this.say("Sending", "sending");
    // The next words are another contribution, whatever becomes of these.
    for (const field of this.form.querySelectorAll("input[name$=client_id], input[name=_form_id]")) {
      field.value = newId();
    }
    for (const area of this.form.querySelectorAll("textarea")) area.value = area.defaultValue = "";
    window.clearTimeout(this.timer);
    this.unkept = false;
    // After a draft that is being kept: it must not come back once its words wait to be sent.
    this.keeping = this.keeping.then(() => this.outbox.add(item)).catch(() => {
      this.fill(item.fields);
      this.say("Not kept and not sent: this computer has no room for your words", "trouble");
    });
  }

  say(sentence, state) {
    this.status.say(sentence, state);
  }
}

// The same form on the same page, whoever shows it again.
function placeOf(form) {
  const heading = form.querySelector("input[name$=heading]")?.value ?? "";
  return `${form.getAttribute("action")} ${form.dataset.contribution} ${heading}`;
}

function newId() {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const letters = hex(bytes);
  return [8, 12, 16, 20, 32].map((end, place, ends) => letters.slice(ends[place - 1] ?? 0, end)).join("-");
}
