// Says one sentence to people who listen to the page instead of looking at it.
let region = null;

export function announce(sentence) {
  if (region === null) {
    region = document.createElement("div");
    region.className = "govuk-visually-hidden";
    region.setAttribute("role", "status");
    region.setAttribute("aria-live", "polite");
    document.body.append(region);
  }
  // A sentence equal to the last one would not be read out again.
  region.textContent = region.textContent === sentence ? `${sentence}\u00a0` : sentence;
}
