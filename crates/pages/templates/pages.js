// Live parts and keys; every page works without it.
"use strict";
(() => {
  // On a phone the row of pages moves sideways: the one that is open is to be seen.
  const here = document.querySelector(".top [aria-current]");
  if (here) here.scrollIntoView({ block: "nearest", inline: "center" });
  const part = document.querySelector("[data-live]");
  if (part) {
    let last = "";
    const look = async () => {
      if (document.hidden || part.contains(document.activeElement)) return;
      try {
        const answer = await fetch(part.dataset.live, { headers: { accept: "text/html" } });
        const text = await answer.text();
        if (answer.ok && text !== last) {
          last = text;
          part.innerHTML = text;
        }
      } catch {
        // The stack is down or was killed: the next look may find it again.
      }
    };
    setInterval(look, 1500);
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    if (target.tagName === "BUTTON") target.click();
    else target.focus();
  });
})();
