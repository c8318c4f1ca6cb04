// Asks the browser for a passkey and sends its answer with the form that stands on the page. A form
// with data-passkey names where the challenge is; with data-passkey-new a passkey is made.
const SAID = {
  NotAllowedError: "No passkey was used. Try again, or use another way.",
  InvalidStateError: "This device has a passkey for you already.",
};
const OTHERWISE = "The passkey could not be used here. Load this page again, or use another way.";

export function startPasskeys() {
  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    for (const other of document.querySelectorAll("[data-passkey-without]")) other.hidden = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer(form);
    });
  }
}

async function answer(form) {
  const said = form.querySelector("[data-passkey-said]");
  said.hidden = true;
  try {
    const options = await challenge(form);
    const isNew = "passkeyNew" in form.dataset;
    const made = isNew
      ? await navigator.credentials.create({ publicKey: forNew(options) })
      : await navigator.credentials.get({ publicKey: forOne(options) });
    form.elements.credential.value = JSON.stringify(asJson(made));
    form.submit();
  } catch (problem) {
    said.textContent = SAID[problem.name] || OTHERWISE;
    said.hidden = false;
  }
}

async function challenge(form) {
  const fields = new URLSearchParams();
  fields.set("_csrf_token", form.elements._csrf_token.value);
  const given = await fetch(form.dataset.passkey, { method: "POST", body: fields });
  if (!given.ok) throw new Error("no challenge");
  return given.json();
}

function forNew(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials || []).map(withBytes),
  };
}

function forOne(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: (options.allowCredentials || []).map(withBytes),
  };
}

const withBytes = (one) => ({ ...one, id: bytes(one.id) });

function asJson(made) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = text(made.response[name]);
  }
  return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

function bytes(said) {
  const plain = atob(said.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
