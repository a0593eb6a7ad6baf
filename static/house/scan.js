/* The box for scans in the header: "/" goes there (from an empty search box of a list too), a scanner's Tab sends. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("[data-scan]");
  if (!form) return;
  const box = form.elements.code;
  const isText = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  const FAST = 60; // milliseconds between two keys: no hand types so
  let last = 0;

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement;
    const inEmptyList = at.id === "searchbar" && at.value === "";
    if (inEmptyList || (!isText(at) && !document.getElementById("searchbar"))) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  });

  box.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && !event.shiftKey && box.value.length > 2 && event.timeStamp - last < FAST) {
      event.preventDefault();
      form.requestSubmit();
    }
    last = event.timeStamp;
  });

  form.addEventListener("submit", (event) => {
    if (!box.value.trim()) event.preventDefault();
  });
});
