"use strict";

const said = document.getElementById("said");
const order = new Intl.Collator("en", { numeric: true }).compare;
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : order(String(a), String(b)));

// Numbers sort the largest first, texts from A; the next press turns them round. What is missing stays at the end.
function sorted(items, key, descending) {
  const given = items.filter((item) => key(item) !== "");
  given.sort((a, b) => (descending ? compare(key(b), key(a)) : compare(key(a), key(b))));
  return given.concat(items.filter((item) => key(item) === ""));
}

function keyOf(row, index) {
  const cell = row.cells[index];
  if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
  return cell.classList.contains("number") ? "" : cell.querySelector("bdi").textContent;
}

function paged(table) {
  const data = JSON.parse(document.getElementById(`${table.id}-data`).textContent);
  const [pager, body, size] = [table.closest("details").querySelector(".pager"), table.tBodies[0], 25];
  const [previous, next] = pager.querySelectorAll("button");
  const isNumber = [...table.tHead.rows[0].cells].map((heading) => heading.classList.contains("number"));
  let [rows, first] = [data, 0];

  function show(from) {
    first = from;
    body.replaceChildren(...rows.slice(first, first + size).map((row) => {
      const line = document.createElement("tr");
      row.forEach((value, index) => {
        const cell = line.insertCell();
        cell.className = isNumber[index] ? "number" : "";
        const text = document.createElement("bdi");
        text.textContent = typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 2 }) : value;
        cell.append(text);
      });
      return line;
    }));
    pager.querySelector("[role=status]").textContent =
      rows.length ? `${first + 1} to ${Math.min(first + size, rows.length)} of ${rows.length}` : "none";
    previous.disabled = first === 0;
    next.disabled = first + size >= rows.length;
  }
  previous.addEventListener("click", () => show(Math.max(0, first - size)));
  next.addEventListener("click", () => show(first + size));
  show(0);
  return (index, descending) => {
    rows = sorted(data, (row) => row[index], descending);
    show(0);
  };
}

function inPlace(table) {
  const [body, rows] = [table.tBodies[0], [...table.tBodies[0].rows]];
  return (index, descending) => body.append(...sorted(rows, (row) => keyOf(row, index), descending));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const sort = table.classList.contains("paged") ? paged(table) : inPlace(table);
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, index) => heading.querySelector("button")?.addEventListener("click", () => {
    const now = heading.getAttribute("aria-sort");
    const descending = now === "none" ? heading.classList.contains("number") : now === "ascending";
    headings.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    sort(index, descending);
    said.textContent = `Sorted by ${heading.textContent.trim()}, ${descending ? "descending" : "ascending"}.`;
  }));
}

const [theme, root, dark] = [document.getElementById("theme"), document.documentElement, matchMedia("(prefers-color-scheme: dark)")];
const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const tell = () => theme.setAttribute("aria-pressed", String(isDark()));
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  tell();
});
dark.addEventListener("change", tell);
tell();

// Some browsers do not play films from data URIs: those get the same bytes as a blob.
for (const video of document.querySelectorAll("video")) {
  video.addEventListener("error", () => {
    const bytes = Uint8Array.from(atob(video.src.slice(video.src.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
    video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  }, { once: true });
}
