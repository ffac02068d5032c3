"use strict";
// Comfort only: without this script every line, plot and table is there and readable.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("nights-data").textContent);
  const rows = [...document.querySelectorAll("table.series tbody tr")];
  const texts = rows.map((row) => (row.cells[0].textContent + " " + row.cells[1].textContent).toLowerCase());

  // Filter: what is chosen of each name, and every word.
  const selects = [...document.querySelectorAll("#choices select")];
  const filter = byId("filter"), changed = byId("changed");
  const draw = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const asked = selects.filter((select) => select.value).map((select) => [select.dataset.name, select.value]);
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = asked.every(([name, value]) => row.dataset[name] === value)
        && (!changed.checked || row.dataset.kind) && words.every((word) => texts[index].includes(word));
      if (row.hidden === fits) row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("filtered").textContent = `${shown} of ${rows.length} series`;
  };
  selects.forEach((select) => select.addEventListener("change", draw));
  filter.addEventListener("input", draw);
  changed.addEventListener("change", draw);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      filter.focus();
    }
    if (event.key === "Escape" && event.target === filter) {
      filter.value = "";
      draw();
    }
  });
  byId("tools").hidden = false;
  byId("choices").hidden = false;

  // Light or dark: kept for as long as the page is open, stored nowhere.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    root.dataset.theme = (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
  });

  // What a night was: by pointer, or with a plot in focus by the arrow keys; Enter opens the night's report.
  const places = data.x.map((x) => x / 6000);
  const pointer = byId("pointer");
  let at = -1, plot = null;
  const run = (day, host) => data.runs.find((one) => one[0] === day && one[2].includes(host));
  const say = () => {
    const found = run(at, plot.closest("tr").dataset.host);
    const value = plot.values[at];
    pointer.textContent = `${data.days[at]}: ${value ? value + " " + plot.dataset.u : "not measured"}`;
    if (found) {
      const name = document.createElement(found[3] ? "a" : "span");
      name.textContent = found[1];
      if (found[3]) name.href = found[3];
      pointer.append(" · ", name);
    }
    pointer.hidden = false;
  };
  const take = (target) => {
    plot = target;
    plot.values = plot.values || plot.dataset.v.split(",");
  };
  const table = document.querySelector("table.series");
  table.addEventListener("pointermove", (event) => {
    const target = event.target.closest("svg");
    if (!target) return;
    const box = target.getBoundingClientRect();
    const place = (((event.clientX - box.left) / box.width) * 7100 - 1000) / 6000;
    take(target);
    at = places.reduce((best, x, index) => (Math.abs(x - place) < Math.abs(places[best] - place) ? index : best), 0);
    say();
  });
  table.addEventListener("click", (event) => {
    const link = event.target.closest("svg") && pointer.querySelector("a");
    if (link) location.assign(link.href);
  });
  table.addEventListener("keydown", (event) => {
    if (event.target.tagName !== "svg") return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      if (plot !== event.target) at = data.days.length;
      take(event.target);
      at = Math.min(Math.max(at + (event.key === "ArrowLeft" ? -1 : 1), 0), data.days.length - 1);
      say();
    } else if (event.key === "Enter" && !pointer.hidden && pointer.querySelector("a")) {
      location.assign(pointer.querySelector("a").href);
    }
  });
  document.querySelectorAll("td.plot svg").forEach((svg) => svg.setAttribute("tabindex", "0"));
})();
