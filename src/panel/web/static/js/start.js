// The one script a page loads. Everything works without it; with it, some things work sooner.
import { initAll } from "./govuk-frontend.js";
import { startAutosave } from "./autosave.js";
import { startDepends } from "./depends.js";
import { startLive } from "./live.js";
import { startOutbox } from "./outbox.js";
import { startPasskeys } from "./passkeys.js";
import { startPrivacy } from "./privacy.js";
import { startReorder } from "./reorder.js";
import { startShortcuts } from "./shortcuts.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");

initAll();
startPrivacy();
startShortcuts();
startAutosave();
startDepends();
startReorder();
startOutbox();
startPasskeys();
startLive();
