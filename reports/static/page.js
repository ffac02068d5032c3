"use strict";
// Comfort only: without this script every section but the full layer list is there and readable.
// Names are hostile text: they reach the page through textContent alone.
(() => {
  const byId = (id) => document.getElementById(id);
  const make = (tag, text) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // Sort: each header of a table with one header row becomes a button.
  const number = (text) => {
    const found = text.replace(/\u2212/g, "-").match(/[-+]?\d+(\.\d+)?/);
    return found ? parseFloat(found[0]) : NaN;
  };
  const sortBy = (table, index, numeric, up) => {
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => {
      const text = row.cells[index] ? row.cells[index].textContent.trim() : "";
      return [row, numeric ? number(text) : text];
    });
    const lost = (key) => (numeric ? Number.isNaN(key) : key === "");
    keyed.sort(([, a], [, b]) => {
      if (lost(a) || lost(b)) return lost(a) - lost(b);
      const order = numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
      return up ? order : -order;
    });
    body.append(...keyed.map(([row]) => row));
  };
  const sortable = (table) => {
    if (table.tHead === null || table.tHead.rows.length !== 1) return;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      const button = make("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const texts = [...table.tBodies[0].rows].map((row) => (row.cells[index] || row).textContent.trim());
        const numeric = texts.filter((text) => /^[^\w]*\d/.test(text) || text === "").length * 2 > texts.length;
        const up = head.ariaSort === "descending" || (head.ariaSort !== "ascending" && !numeric);
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        sortBy(table, index, numeric, up);
      });
    });
  };
  document.querySelectorAll("table").forEach(sortable);

  // Filter: every word must occur in a row.
  const filter = byId("filter");
  const rows = [...document.querySelectorAll(".board tbody tr, .glance tbody tr, .answers article")];
  const matches = (text, words) => words.every((word) => text.includes(word));
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !matches(row.textContent.toLowerCase(), words);
      shown += row.hidden ? 0 : 1;
    }
    byId("filtered").textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      filter.focus();
    }
    if (event.key === "Escape" && event.target === filter) {
      filter.value = "";
      filter.dispatchEvent(new Event("input"));
    }
  });

  // Light or dark: kept for as long as the page is open, stored nowhere.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    root.dataset.theme = (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
  });
  byId("tools").hidden = false;

  // Deep links open what encloses their target.
  const reveal = () => {
    const target = byId(location.hash.slice(1));
    if (target === null) return;
    for (let at = target; at !== null; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("figure details").forEach((found) => { found.open = true; });
  });
  if (location.hash) reveal();

  // The layers of all cells: base64, deflate, JSON with texts kept once.
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  const viewer = byId("viewer");
  if (viewer === null || !("DecompressionStream" in window)) return;
  const show = (data) => {
    const text = (index) => data.strings[index];
    const select = byId("viewer-cell"), search = byId("viewer-search"), table = byId("viewer-table");
    data.cells.forEach((cell, index) => select.append(new Option(cell.id, String(index))));
    const draw = () => {
      const cell = data.cells[Number(select.value)];
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const found = document.createDocumentFragment();
      cell.names.forEach((name, i) => {
        const time = cell.times[i];
        const share = cell.partial || time < 0 ? "" : `${((100 * time) / cell.total).toFixed(2)} %`;
        const texts = [text(name), text(cell.classes[i]), text(cell.families[i]), text(cell.kernels[i]),
          time < 0 ? "" : (time / 1e6).toFixed(4), share, cell.ops[i].map(text).join(", ")];
        if (!matches(texts.join(" ").toLowerCase(), words)) return;
        const row = make("tr");
        texts.forEach((value, column) => {
          const item = make(column === 0 ? "th" : "td", value);
          if (column === 0) item.scope = "row";
          if (column !== 4 && column !== 5) item.className = "kernel";
          row.append(item);
        });
        found.append(row);
      });
      byId("viewer-count").textContent = `${found.childNodes.length} of ${cell.names.length} layers`;
      table.tBodies[0].replaceChildren(found);
      const head = table.querySelector("th[aria-sort]");
      if (head) sortBy(table, head.cellIndex, [4, 5].includes(head.cellIndex), head.ariaSort === "ascending");
    };
    table.tHead.rows[0].cells[4].setAttribute("aria-sort", "descending");
    select.addEventListener("change", draw);
    search.addEventListener("input", draw);
    viewer.hidden = false;
    draw();
    if (location.hash) reveal();
  };
  unpack(byId("layer-data").textContent).then(show);
})();
