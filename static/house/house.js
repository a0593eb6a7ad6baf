/* Small things: a question before a button that cannot be undone, a job's page that keeps itself up to date. */
"use strict";

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

/* Django's list takes a changed box for an edit that an action would lose. Ours are sent along with the action. */
document.addEventListener("change", (event) => {
  if (event.target.matches("[name^='quantity-']")) event.stopPropagation();
}, true);

/* A line that came in several lots gets another row of boxes; the new row's are empty. */
document.addEventListener("click", ({ target }) => {
  if (!target.matches("[data-another-row]")) return;
  const row = target.closest("tr");
  const next = row.cloneNode(true);
  next.querySelectorAll("input").forEach((input) => { input.value = ""; });
  row.after(next);
  next.querySelector("input").focus();
});

function watchJob(box) {
  const wait = () => window.setTimeout(look, document.hidden ? 8000 : 1500);
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.statusUrl, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) return;
      box.innerHTML = await answer.text();
      if (box.querySelector("[data-job-open]")) wait();
      else window.location.reload();
    } catch {
      wait();
    }
  };
  if (box.querySelector("[data-job-open]")) wait();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-status-url]").forEach(watchJob);
});
