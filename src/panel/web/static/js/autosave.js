// Saves a form as it is typed. `<form data-autosave="/address">` posts the fields that changed,
// with the form's hidden fields (the version read, the token), and expects JSON:
//   200 {"version": 8, "saved": "10:42"}      saved; later posts carry the new version
//   409 {"message": "…"}                      somebody else changed it; typing is kept, and the
//                                             form's own button leads to the page with both texts
//   422 {"errors": {"field": "sentence"}}     kept here until it is right
//   401, 403 {"message": "…"}                 signed out; typing is kept on this page
// Anything else, or no network: kept in memory and tried again. Nothing is put in the browser's
// store, since the computer may be shared. Without this script the form posts as usual.

import { SaveStatus, timeNow } from "./status.js";

// Milliseconds: without typing before a save, and between attempts.
const PAUSE = 800;
const RETRY_FIRST = 2000;
const RETRY_LONGEST = 30000;

export function startAutosave() {
  for (const form of document.querySelectorAll("form[data-autosave]")) new Autosave(form);
}

class Autosave {
  constructor(form) {
    this.form = form;
    this.address = form.dataset.autosave || form.action;
    this.changed = new Set();
    this.held = new Set();
    this.timer = null;
    this.sending = null;
    this.retry = RETRY_FIRST;
    this.stopped = false;
    this.leaving = false;
    this.status = new SaveStatus(form);
    // The browser notes what is typed in its file of open tabs, for everybody to read, except here.
    form.autocomplete = "off";

    form.addEventListener("input", (event) => this.noteChange(event.target));
    form.addEventListener("change", (event) => this.noteChange(event.target));
    form.addEventListener("focusout", () => this.saveSoon(0));
    form.addEventListener("submit", (event) => this.submit(event));
    window.addEventListener("online", () => this.saveSoon(0));
    window.addEventListener("pagehide", () => this.saveOnTheWayOut());
    window.addEventListener("beforeunload", (event) => this.warn(event));
  }

  noteChange(field) {
    if (!field.name || field.type === "hidden" || field.type === "file") return;
    for (const name of this.namesTogether(field)) {
      this.changed.add(name);
      this.held.delete(name);
    }
    // Half a date is not worth sending: it goes when the person leaves the field.
    if (field.closest(".govuk-date-input") === null) this.saveSoon(PAUSE);
  }

  namesTogether(field) {
    const group = field.closest(".govuk-date-input");
    if (group === null) return [field.name];
    return [...group.querySelectorAll("input")].map((part) => part.name);
  }

  saveSoon(pause) {
    if (this.stopped || this.changed.size === 0) return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.save(), pause);
  }

  async save() {
    if (this.sending !== null || this.stopped || this.changed.size === 0) return;
    const names = new Set(this.changed);
    this.changed.clear();
    this.sending = this.send(names);
    await this.sending;
    this.sending = null;
    this.saveSoon(this.retry === RETRY_FIRST ? PAUSE : this.retry);
  }

  async send(names) {
    let answer;
    try {
      answer = await fetch(this.address, this.request(names));
    } catch {
      this.keep(names, "Not saved yet: there is no connection. Your words are kept on this page.");
      return;
    }
    const said = await answer.json().catch(() => ({}));
    // A redirect can only lead to the sign-in page: a save is answered with JSON.
    const signedOut = answer.type === "opaqueredirect" || [401, 403].includes(answer.status);
    if (answer.ok) this.saved(said);
    else if (answer.status === 409) this.stop(names, said.message ??
      "Somebody else changed this while you were typing. Your words are still here; use the " +
      "button to see both.");
    else if (answer.status === 422) this.refused(names, said.errors ?? {});
    else if (signedOut) this.stop(names, said.message ??
      "You are signed out. Your words are still here: sign in on another tab, then use the button.");
    else this.keep(names, "Not saved yet: the server has a problem. Your words are kept here.");
  }

  request(names) {
    return {
      method: "POST",
      body: this.body(names),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual",
    };
  }

  body(names) {
    const all = new FormData(this.form);
    const body = new URLSearchParams();
    for (const hidden of this.form.querySelectorAll("input[type=hidden][name]")) {
      body.append(hidden.name, hidden.value);
    }
    for (const name of names) {
      const values = all.getAll(name);
      // An unticked box posts nothing; an empty value says that it was unticked.
      if (values.length === 0) body.append(name, "");
      for (const value of values) body.append(name, value);
    }
    return body;
  }

  saved(said) {
    this.retry = RETRY_FIRST;
    const version = this.form.querySelector("input[type=hidden][name=version]");
    if (version !== null && said.version !== undefined) version.value = String(said.version);
    this.status.say(`Saved ${said.saved ?? timeNow()}`, "saved");
  }

  refused(names, errors) {
    const sentences = Object.values(errors);
    this.status.say(`Not saved yet. ${sentences.join(". ") || "Something is not right yet."}`, "trouble");
    this.retry = RETRY_FIRST;
    const right = [...names].filter((name) => !hasError(name, errors));
    // What is wrong waits for the person or the button; the rest goes again without it.
    const goesAgain = right.length < names.size ? right : [];
    for (const name of names) {
      if (goesAgain.includes(name)) this.changed.add(name);
      else this.held.add(name);
    }
  }

  keep(names, sentence) {
    for (const name of names) this.changed.add(name);
    this.retry = Math.min(this.retry * 2, RETRY_LONGEST);
    this.status.say(`${sentence} Trying again.`, "trouble");
  }

  stop(names, sentence) {
    for (const name of names) this.changed.add(name);
    this.stopped = true;
    this.status.say(sentence, "trouble");
  }

  async submit(event) {
    window.clearTimeout(this.timer);
    if (this.sending === null) {
      this.leaving = true;
      return;
    }
    // The save under way changes the version; a form sent with the old one would be a conflict.
    event.preventDefault();
    const button = event.submitter;
    await this.sending;
    window.setTimeout(() => {
      window.clearTimeout(this.timer);
      this.form.requestSubmit(button);
    }, 0);
  }

  saveOnTheWayOut() {
    if (this.leaving || this.stopped || this.changed.size === 0) return;
    const request = this.request(this.changed);
    // No one is left to read the answer; the next page shows what was kept.
    fetch(this.address, { ...request, keepalive: true }).catch(() => undefined);
  }

  warn(event) {
    const troubled = this.stopped || this.sending !== null || this.retry !== RETRY_FIRST;
    const unsaved = this.held.size > 0 || (troubled && this.changed.size > 0);
    if (!this.leaving && unsaved) event.preventDefault();
  }
}

function hasError(name, errors) {
  return Object.keys(errors).some((field) => name === field || name.startsWith(`${field}-`));
}
