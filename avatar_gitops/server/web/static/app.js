// Brings lists of runs and jobs up to date without a reload. Pages are complete without it.
"use strict";

(() => {
  const control = document.querySelector("[data-live]");
  if (!control) return;
  const pauses = { fast: 3000, slow: 20000 };
  const news = document.getElementById("live-news");
  const button = document.createElement("button");
  let paused = false;
  let timer = 0;

  button.type = "button";
  button.className = "quiet small";
  button.textContent = "Pause updates";
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume updates" : "Pause updates";
    news.textContent = paused ? "Updates are paused." : "Updates are on.";
    clearTimeout(timer);
    if (!paused) update();
  });
  control.append(button);

  const states = () =>
    new Map(
      [...document.querySelectorAll("#live-runs tbody tr, #live-jobs tbody tr")].map((row) => [
        row.querySelector("th").innerText.split("\n")[0],
        row.querySelector(".state").textContent.trim().replace(/\s+/g, " ").slice(2),
      ]),
    );

  function replace(fresh) {
    const before = states();
    const focused = document.activeElement;
    const href = focused && focused.getAttribute("href");
    for (const region of document.querySelectorAll("[id^=live-]")) {
      const next = fresh.getElementById(region.id);
      if (region === news || !next || next.innerHTML === region.innerHTML) continue;
      const held = region.contains(focused);
      region.replaceChildren(...next.childNodes);
      if (held && href) region.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus();
    }
    const changed = [...states()].filter(([name, state]) => before.has(name) && before.get(name) !== state);
    if (changed.length) news.textContent = changed.map(([name, state]) => `${name}: ${state}`).join(". ");
    control.dataset.live = fresh.querySelector("[data-live]")?.dataset.live ?? "slow";
  }

  async function update() {
    clearTimeout(timer);
    try {
      if (!document.hidden) {
        const answer = await fetch(location.href, { headers: { "X-Live-Update": "1" }, cache: "no-store" });
        if (answer.status === 401) {
          news.textContent = "Your session has ended. Reload the page to sign in again.";
          news.className = "notice";
          return;
        }
        if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
    } catch {
      // The server is away for a moment; the next try says more.
    }
    if (!paused) timer = setTimeout(update, pauses[control.dataset.live] ?? pauses.slow);
  }

  timer = setTimeout(update, pauses[control.dataset.live] ?? pauses.slow);
})();
