/* Suggests a supplier's items while a SKU is typed, says what was chosen beside it, and keeps an empty row at the end. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const labels = new Map();
  let latest = 0;

  async function suggest(box) {
    const mine = ++latest;
    const answer = await fetch(`${box.dataset.suggest}&q=${encodeURIComponent(box.value)}`);
    if (!answer.ok || mine !== latest) return;
    const { items } = await answer.json();
    const options = items.map(({ value, label }) => {
      labels.set(value, label);
      const option = document.createElement("option");
      option.value = value;
      option.label = `${value} · ${label}`;
      return option;
    });
    box.list.replaceChildren(...options);
    tell(box);
  }

  function tell(box) {
    const place = box.closest("tr, form")?.querySelector("[data-suggested]");
    if (place) place.textContent = labels.get(box.value.trim().toUpperCase()) || "";
  }

  function grow(form) {
    const rows = form.querySelectorAll("tbody tr");
    const last = rows[rows.length - 1];
    if (!last.querySelector("[name=sku]").value) return;
    const next = last.cloneNode(true);
    next.querySelectorAll("input").forEach((input) => { input.value = ""; });
    next.querySelector("[data-suggested]").textContent = "";
    last.after(next);
  }

  document.addEventListener("focusin", ({ target }) => target.matches("[data-suggest]") && suggest(target));
  document.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-suggest]")) return;
    if (labels.has(target.value.trim().toUpperCase())) tell(target);
    else suggest(target);
    const form = target.closest("[data-grows]");
    if (form) grow(form);
  });
  document.querySelectorAll("[data-grows] [data-suggest]").forEach((box) => box.value && suggest(box));
});
