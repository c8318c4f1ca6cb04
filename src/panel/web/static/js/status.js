// The line at the end of a form that says how far what is typed in it is: kept, saved, in trouble.
// It is the form's own (`data-save-status`), or one that is put there.

export class SaveStatus {
  constructor(form) {
    this.line = form.querySelector("[data-save-status]") ?? addedTo(form);
  }

  // `state` is for the look alone: sending, kept, saved or trouble.
  say(sentence, state) {
    this.line.dataset.state = state;
    // The same words once more would be read out once more.
    if (this.line.textContent !== sentence) this.line.textContent = sentence;
  }
}

function addedTo(form) {
  const line = document.createElement("p");
  line.className = "panel-save-status";
  line.setAttribute("role", "status");
  line.setAttribute("aria-live", "polite");
  form.append(line);
  return line;
}

export function timeNow() {
  return new Intl.DateTimeFormat("en-GB", {
    hour: "numeric", minute: "2-digit", timeZone: "Europe/London",
  }).format(new Date());
}
