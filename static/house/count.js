/* Counting: Enter goes to the next line, a scan jumps to the line of the location or article. Numbers stay numbers. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("[data-count]");
  if (!form) return;
  const scan = document.querySelector("[data-count-scan]");
  const said = document.querySelector("[data-count-said]");
  const rows = [...form.querySelectorAll("tr[data-codes]")].filter((row) => row.querySelector("input"));
  const boxOf = (row) => row.querySelector("input");
  const plain = (text) => text.trim().replace(/^\][A-Za-z][0-9]/, "").toUpperCase();
  const has = (row, code) => row.dataset.codes.toUpperCase().split("\n").includes(code);
  let place = "";

  function rowOf(text) {
    const code = plain(text);
    const found = rows.filter((row) => has(row, code));
    const here = found.filter((row) => row.dataset.place === place);
    const open = (list) => list.find((row) => boxOf(row).value === "");
    return open(here) || open(found) || here[0] || found[0];
  }

  function go(row) {
    place = row.dataset.place;
    boxOf(row).focus();
    boxOf(row).select();
    row.scrollIntoView({ block: "center" });
  }

  scan.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Tab") return;
    if (!scan.value.trim()) return;
    event.preventDefault();
    const row = rowOf(scan.value);
    said.textContent = row ? "" : said.dataset.unknown;
    scan.value = row ? "" : scan.value;
    if (row) go(row);
    else scan.select();
  });

  form.addEventListener("focusin", ({ target }) => { if (target.matches("input")) target.dataset.before = target.value; });

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("td input")) return;
    event.preventDefault();
    const box = event.target;
    // A label scanned while a box has the cursor: its text is no number, or too long for one.
    const isCode = !/^[0-9., ]{0,7}$/.test(box.value.trim());
    const scanned = isCode && rowOf(box.value);
    if (scanned) {
      box.value = box.dataset.before || "";
      go(scanned);
      return;
    }
    const next = rows[rows.indexOf(box.closest("tr")) + 1];
    if (next) go(next);
    else form.querySelector("button.primary").focus();
  });
});
