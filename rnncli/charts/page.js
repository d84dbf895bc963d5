// Reads a picture's numbers out where the pointer is, or by the arrow keys; without it, pictures and tables are whole.
"use strict";
for (const figure of document.querySelectorAll("figure[data-reads]")) {
  const plot = figure.querySelector(".plot");
  const svg = plot.querySelector("svg");
  const reading = figure.querySelector(".reading");
  const names = [...figure.querySelectorAll("thead th")].map((cell) => cell.textContent);
  const rows = [...figure.querySelectorAll("tbody tr[data-x]")];
  if (!rows.length) continue;
  const places = rows.map((row) => Number(row.dataset.x));
  const box = svg.viewBox.baseVal;
  const cross = document.createElementNS(svg.namespaceURI, "line");
  cross.setAttribute("class", "cross");
  cross.setAttribute("y1", 0);
  cross.setAttribute("y2", box.height);
  let at = -1;
  const usual = "Point at the picture, or use the arrow keys, to read it.";
  reading.textContent = usual;
  const told = (place) =>
    [...rows[place].cells]
      .map((cell, column) => (cell.textContent === "" ? "" : column ? `${names[column]} ${cell.textContent}` : cell.textContent))
      .filter((text) => text !== "")
      .join(" · ");
  const show = (place) => {
    at = Math.max(0, Math.min(rows.length - 1, place));
    cross.setAttribute("x1", places[at]);
    cross.setAttribute("x2", places[at]);
    svg.append(cross);
    reading.textContent = told(at);
    plot.setAttribute("aria-valuenow", at + 1);
    plot.setAttribute("aria-valuetext", told(at));
  };
  const hide = () => {
    cross.remove();
    reading.textContent = usual;
  };
  const nearest = (x) => places.reduce((best, place, row) => (Math.abs(place - x) < Math.abs(places[best] - x) ? row : best), 0);
  plot.tabIndex = 0;
  plot.setAttribute("role", "slider");
  plot.setAttribute("aria-label", `${svg.getAttribute("aria-label")}: read the numbers with the arrow keys`);
  plot.setAttribute("aria-valuemin", 1);
  plot.setAttribute("aria-valuemax", rows.length);
  plot.setAttribute("aria-valuenow", rows.length);
  plot.setAttribute("aria-valuetext", told(rows.length - 1));
  plot.addEventListener("pointermove", (event) => {
    const area = svg.getBoundingClientRect();
    show(nearest(((event.clientX - area.left) / area.width) * box.width));
  });
  plot.addEventListener("pointerleave", () => plot.matches(":focus") || hide());
  plot.addEventListener("focus", () => show(at < 0 ? rows.length - 1 : at));
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: rows.length - 1,
      PageUp: at + 10, PageDown: at - 10 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(moves[event.key]);
  });
}
