// Posts a form and puts the answer's own parts in the place of this page's: every element with
// `data-refresh` and an id. The server needs no second way to answer: it redirects to the page.

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
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) {
    const heading = page.querySelector("main h1");
    throw new Refused(heading ? heading.textContent.trim() : "The server did not accept this.");
  }
  replaceParts(page);
}

function replaceParts(page) {
  for (const old of document.querySelectorAll("[data-refresh][id]")) {
    const fresh = page.getElementById(old.id);
    // Without its part the answer is another page (signed out, moved on): go there as usual.
    if (fresh === null) {
      window.location.reload();
      return;
    }
    old.replaceWith(document.adoptNode(fresh));
  }
  document.dispatchEvent(new CustomEvent("panel:refreshed"));
}
