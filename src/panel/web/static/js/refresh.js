// Puts the parts of a page as the server shows it now in the place of this page's: every element
// with `data-refresh` and an id. The server needs no second way to answer: it shows the page. A field
// in which somebody is typing stays as it is, with its words, its focus and its selection; so does a
// form that adds to the page (`data-contribution`, see outbox.js) for as long as the page has it.

export class Refused extends Error {}

export async function postAndRefresh(form, extra = {}) {
  const data = new FormData(form);
  for (const [name, value] of Object.entries(extra)) data.set(name, value);
  const answer = await fetch(form.action, {
    method: "POST",
    body: new URLSearchParams(data),
    headers: { Accept: "text/html" },
    credentials: "same-origin",
  });
  const page = pageOf(await answer.text());
  if (!answer.ok) throw new Refused(headingOf(page) || "The server did not accept this.");
  // Without its part the answer is another page (signed out, moved on): go there as usual.
  if (!renewParts(page)) window.location.reload();
}

export function pageOf(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

export function headingOf(page) {
  return page.querySelector("main h1")?.textContent.trim() ?? "";
}

// Returns whether the page had every part; where one is missing, nothing is changed. Nor is it where
// somebody else has signed in on another tab meanwhile: what they may see and send is not put into a
// page that stands under the name of who opened it.
export function renewParts(page) {
  if (readerOf(page) !== readerOf(document)) return false;
  const parts = [...document.querySelectorAll("[data-refresh][id]")];
  const pairs = parts.map((old) => [old, page.getElementById(old.id)]);
  if (pairs.some(([, fresh]) => fresh === null)) return false;
  for (const [old, fresh] of pairs) renew(old, fresh);
  document.dispatchEvent(new CustomEvent("panel:refreshed"));
  return true;
}

function readerOf(page) {
  return page.querySelector(".panel-header__who")?.textContent.trim() ?? "";
}

const TYPED_IN = "textarea, select, input:not([type=hidden])";

export function isTypedIn(field) {
  if (field === document.activeElement && field.matches("textarea, input")) return true;
  if (field.matches("select")) {
    return [...field.options].some((option) => option.selected !== option.defaultSelected)
      && field.value !== (field.querySelector("option[selected]") ?? field.options[0])?.value;
  }
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}

function fieldsOf(element) {
  const fields = [...element.querySelectorAll(TYPED_IN)];
  if (element.matches(TYPED_IN)) fields.push(element);
  return fields;
}

function heldFields(element) {
  return fieldsOf(element).filter(
    (field) => isTypedIn(field) || field.closest("form[data-contribution]") !== null,
  );
}

// Old nodes that are held are never moved: a field that is taken out loses its focus, and an
// unfinished word of an input method. What stands around them is replaced.
function renew(old, fresh) {
  if (heldFields(old).length === 0) {
    if (!old.isEqualNode(fresh)) old.replaceWith(document.adoptNode(fresh));
    return;
  }
  if (old.matches(`form, ${TYPED_IN}`)) return;
  const partners = new Map();
  const kept = [];
  for (const child of old.children) {
    if (heldFields(child).length === 0) continue;
    const partner = partnerOf(child, fresh);
    if (partner !== null) partners.set(partner, child);
    if (partner !== null || fieldsOf(child).some(isTypedIn)) kept.push(child);
  }
  for (const node of [...old.childNodes]) if (!kept.includes(node)) node.remove();
  let before = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const child = partners.get(node);
    if (child === undefined) {
      old.insertBefore(document.adoptNode(node), before);
    } else {
      before = child.nextSibling;
      renew(child, node);
    }
  }
}

// The child of the fresh part in which the same field stands.
function partnerOf(child, fresh) {
  for (const field of heldFields(child)) {
    if (!field.id) continue;
    const same = fresh.querySelector(`#${CSS.escape(field.id)}`);
    if (same !== null) return [...fresh.children].find((one) => one.contains(same)) ?? null;
  }
  return null;
}
