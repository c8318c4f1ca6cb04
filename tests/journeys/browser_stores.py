"""What a browser keeps on a computer: read through the page, and as it lies on the disk."""

from contextlib import suppress
from pathlib import Path

from playwright.async_api import Page

STATUS = "[role=status].panel-save-status"
KEPT = "Kept on this computer until the connection is back"

STORED = """
async () => {
  const said = [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage})];
  const read = (value) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      said.push(new TextDecoder().decode(value), new TextDecoder("utf-16").decode(value));
    } else if (value !== null && typeof value === "object") Object.values(value).forEach(read);
    else said.push(String(value));
  };
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      said.push(request.url, await (await cache.match(request)).text());
    }
  }
  let rows = 0;
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      indexedDB.open(name).onsuccess = (event) => done(event.target.result);
    });
    // All at one moment: a draft that becomes words to send is in one of two places.
    const names = [...db.objectStoreNames];
    const all = await new Promise((done) => {
      const transaction = names.length ? db.transaction(names) : null;
      const asked = names.map((name) => transaction.objectStore(name).getAll());
      if (transaction === null) done([]);
      else transaction.oncomplete = () => done(asked.flatMap((one) => one.result));
    });
    rows += all.length;
    all.forEach(read);
    db.close();
  }
  return { rows, said: said.join("\\n") };
}
"""

UNTIL_STORED = f"""
async (rows) => {{
  const read = {STORED};
  while ((await read()).rows !== rows) await new Promise((done) => setTimeout(done, 20));
}}
"""


async def stored(page: Page) -> tuple[int, str]:
    """How many rows the browser keeps, and everything in its stores as text."""
    found = await page.evaluate(STORED)
    return found["rows"], found["said"]


def readable_on_disk(profile: Path, words: tuple[str, ...]) -> list[str]:
    """Which of these words stand anywhere in the files of a browser's profile, and where."""
    found = []
    for file in profile.rglob("*"):
        with suppress(FileNotFoundError):
            written = file.read_bytes() if file.is_file() and not file.is_symlink() else b""
            found += [
                f"{word} in {file.relative_to(profile)}"
                for word in words
                if any(word.encode(code) in written for code in ("utf-8", "utf-16-le"))
            ]
    return found
