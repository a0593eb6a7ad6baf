/* The proposals board: keys, explanations opened in place, and totals that follow what is typed. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const bar = document.querySelector("[data-board]");
  if (!bar) return;
  const rows = [...document.querySelectorAll("tbody[data-row]")];
  const token = () => document.querySelector("#changelist-form [name=csrfmiddlewaretoken]").value;
  const money = new Intl.NumberFormat(document.documentElement.lang || "en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const boxOf = (row) => row.querySelector("[name^='quantity-']");
  const checkOf = (row) => row.querySelector("input.action-select");
  const quantityOf = (row) => {
    const typed = boxOf(row) ? Number(boxOf(row).value.replace(/,/g, "")) : NaN;
    return Number.isFinite(typed) ? typed : Number(row.dataset.quantity);
  };
  let now = -1;

  function go(place) {
    if (!rows.length) return;
    if (rows[now]) rows[now].classList.remove("b-now");
    now = Math.min(Math.max(place, 0), rows.length - 1);
    rows[now].classList.add("b-now");
    const line = rows[now].querySelector("tr");
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  }

  /* POST what was asked of these rows, with the quantities typed into them, and come back with the filters. */
  function send(verb, chosen, more = {}) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = bar.dataset.decide;
    const fields = { csrfmiddlewaretoken: token(), verb, next: window.location.search, ids: chosen.map((row) => row.dataset.row).join(","), ...more };
    chosen.filter(boxOf).forEach((row) => { fields[boxOf(row).name] = boxOf(row).value; });
    Object.entries(fields).forEach(([name, value]) => {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      input.value = value;
      form.append(input);
    });
    sessionStorage.setItem("board-row", String(now));
    document.body.append(form);
    form.submit();
  }

  async function explain(row, isWanted) {
    const detail = row.querySelector(".b-detail");
    const cell = detail.firstElementChild;
    const link = row.querySelector("[data-explain]");
    detail.hidden = isWanted === undefined ? !detail.hidden : !isWanted;
    link.setAttribute("aria-expanded", String(!detail.hidden));
    if (detail.hidden || cell.dataset.loaded) return;
    cell.dataset.loaded = "1";
    try {
      const answer = await fetch(cell.dataset.why, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) throw new Error(String(answer.status));
      cell.innerHTML = await answer.text();
    } catch {
      cell.textContent = bar.dataset.failed;
      delete cell.dataset.loaded;
    }
  }

  const chosenRows = () => rows.filter((row) => checkOf(row) && checkOf(row).checked);

  function tell() {
    const chosen = chosenRows();
    const box = bar.querySelector("[data-chosen]");
    box.hidden = !chosen.length;
    box.querySelector("[data-chosen-lines]").textContent = chosen.length;
    box.querySelector("[data-chosen-value]").textContent = money.format(chosen.reduce((sum, row) => sum + quantityOf(row) * Number(row.dataset.cost), 0));
  }

  /* A group's total and its limits, with the quantities as they are typed now. */
  function retell(key) {
    const head = [...document.querySelectorAll("[data-group]")].find((one) => one.dataset.group === key);
    if (!head) return;
    const ours = rows.filter((row) => row.dataset.in === key && row.dataset.open);
    const value = ours.reduce((sum, row) => sum + (quantityOf(row) - Number(row.dataset.quantity)) * Number(row.dataset.cost), Number(head.dataset.value));
    head.querySelector("[data-total]").textContent = money.format(value);
    head.querySelectorAll("[data-limit]").forEach((tag) => {
      const left = Number(head.dataset[tag.dataset.limit]) - value;
      tag.classList.toggle("good", left <= 0);
      tag.classList.toggle("warn", left > 0 && tag.dataset.limit === "minimum");
      tag.textContent = left > 0 ? `${money.format(left)} ${tag.dataset.short}` : tag.dataset.good;
    });
  }

  document.addEventListener("input", ({ target }) => {
    const row = target.closest("tbody[data-row]");
    if (!row || target !== boxOf(row)) return;
    target.classList.toggle("b-changed", quantityOf(row) !== Number(row.dataset.quantity));
    retell(row.dataset.in);
    tell();
  });
  document.addEventListener("change", () => window.setTimeout(tell));
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tbody[data-row]");
    if (!row) return;
    if (event.target.closest("[data-explain]")) {
      event.preventDefault();
      explain(row);
    } else if (event.target.closest("[data-do=split]")) {
      split(row);
    }
  });

  function split(row) {
    const form = row.querySelector("[data-split]");
    send("split", [row], { split_quantity: form.querySelector("[name=split_quantity]").value, need_by: form.querySelector("[name=need_by]").value });
  }

  const chosenOrThis = () => (chosenRows().length ? chosenRows() : rows[now] ? [rows[now]] : []);
  const open = (list) => list.filter((row) => row.dataset.open && boxOf(row));
  const keys = {
    j: () => go(now + 1),
    k: () => go(now - 1),
    e: () => rows[now] && explain(rows[now]),
    " ": () => rows[now] && checkOf(rows[now]) && checkOf(rows[now]).click(),
    q: () => rows[now] && boxOf(rows[now]) && boxOf(rows[now]).select(),
    a: () => open(chosenOrThis()).length && send("accept", open(chosenOrThis())),
    d: () => open(chosenOrThis()).length && send("dismiss", open(chosenOrThis())),
    m: () => open(chosenRows()).length > 1 && window.confirm(bar.dataset.mergeQuestion) && send("merge", open(chosenRows())),
    s: async () => {
      if (!rows[now]) return;
      await explain(rows[now], true);
      const box = rows[now].querySelector("[name=split_quantity]");
      if (box) box.focus();
    },
  };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    const row = target.closest("tbody[data-row]");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]")) {
      if (key === "Escape") { event.preventDefault(); go(now); }
      if (key === "Enter" && row) {
        event.preventDefault();
        if (target.closest("[data-split]")) split(row);
        else go(rows.indexOf(row));
      }
      return;
    }
    const act = keys[key];
    if (!act || (key === " " && target.matches("a, button, summary, input"))) return;
    event.preventDefault();
    act();
  });

  const kept = sessionStorage.getItem("board-row");
  sessionStorage.removeItem("board-row");
  if (kept !== null && Number(kept) >= 0) go(Number(kept));
  tell();
});
