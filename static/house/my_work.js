/* My work: every scan is checked at once; Enter in the scan box never sends the form, an empty one goes to Done. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("[autofocus]")?.focus(); // the browser does so late, or not at all; a scan or Enter must land there
  const form = document.querySelector("[data-my-work]");
  if (!form) return;
  const box = form.querySelector(".w-scan");
  const said = form.querySelector("[data-said]");
  const say = (text, isRight) => { said.textContent = text; said.classList.toggle("right", isRight); };

  async function check(code) {
    const query = new URLSearchParams({ task: form.dataset.task, code });
    try {
      const answer = await fetch(`${form.dataset.checkUrl}?${query}`, { headers: { "X-Requested-With": "fetch" } });
      const { matches, message } = await answer.json();
      if (matches) {
        form.querySelector(`[data-part="${matches}"]`)?.classList.add("right");
        say(`✓ ${code}`, true);
      } else {
        say(message, false);
      }
    } catch {
      say(code, false);
    }
    box.value = "";
    box.focus();
  }

  box.addEventListener("keydown", (event) => {
    const isScan = event.key === "Enter" || (event.key === "Tab" && !event.shiftKey && box.value.trim().length > 2);
    if (!isScan) return;
    event.preventDefault();
    const code = box.value.trim();
    if (code) check(code);
    else form.querySelector("[data-done]").focus();
  });
});
