// Shows a question only while another's answer asks for it. An element with
// data-depends-on="field" data-depends-values="yes maybe" is hidden unless the field of that name in
// its form has one of these values. What was typed in it stays and is sent: whether it counts is
// decided where the form is read. Without this script every question is shown, and says when it
// applies.

export function startDepends() {
  for (const form of document.querySelectorAll("form:has([data-depends-on])")) {
    const update = () => showAndHide(form);
    form.addEventListener("change", update);
    update();
  }
}

function showAndHide(form) {
  // In the page's order, so that a question behind a hidden one hides with it.
  for (const part of form.querySelectorAll("[data-depends-on]")) {
    const fields = [...form.elements].filter((field) => field.name === part.dataset.dependsOn);
    const wanted = part.dataset.dependsValues.split(" ");
    part.hidden = !fields.some((field) => isShown(field) && wanted.includes(valueOf(field)));
  }
}

function isShown(field) {
  return field.closest("[data-depends-on][hidden]") === null;
}

function valueOf(field) {
  if (field.type === "radio" || field.type === "checkbox") return field.checked ? field.value : "";
  return field.value;
}
