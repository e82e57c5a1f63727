// Gives each frame the height that its figure says it has. A figure is in a sandbox and can say nothing else.
"use strict";

addEventListener("message", (event) => {
  const height = event.data && event.data.figureHeight;
  if (!Number.isFinite(height)) return;
  for (const frame of document.querySelectorAll("figure iframe"))
    if (frame.contentWindow === event.source) frame.height = String(Math.min(Math.max(Math.ceil(height), 80), 2000));
});
