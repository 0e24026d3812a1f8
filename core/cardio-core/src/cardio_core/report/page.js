"use strict";
// Copies and downloads what the page holds; without it the page reads the same.
(() => {
  const button = (words, act, label) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", () => act(made));
    return made;
  };
  const say = (where, words) => {
    const before = where.textContent;
    where.textContent = words;
    setTimeout(() => { where.textContent = before; }, 1500);
  };
  const save = (name, kind, content) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const fileName = (text) => (text || "cardio").trim().replace(/[^A-Za-z0-9.-]+/g, "-").toLowerCase();

  // Cells that span rows or columns stand in each of them; a model's heading stands in every row.
  const cellText = (cell) => {
    const exact = cell.querySelector("data");
    return exact ? exact.value : cell.textContent.replace(/\s+/g, " ").trim();
  };
  const rowsOf = (table) => {
    const grid = [];
    const spans = [];
    let model = "";
    const modelled = table.querySelector("tr.model") !== null;
    for (const row of table.rows) {
      if (row.className === "model") { model = cellText(row.cells[0]); continue; }
      const line = [];
      const put = (text) => { line.push(text); };
      const filled = () => {
        const span = spans[line.length];
        if (span && span.left > 0) { span.left -= 1; put(span.text); return true; }
        return false;
      };
      for (const cell of row.cells) {
        while (filled());
        const text = cellText(cell);
        if (cell.rowSpan > 1) spans[line.length] = { left: cell.rowSpan - 1, text };
        put(text);
        for (let n = 1; n < cell.colSpan; n += 1) put("");
      }
      while (filled());
      grid.push(modelled ? [row.parentNode.tagName === "THEAD" ? "Model" : model, ...line] : line);
    }
    return grid;
  };
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  // What a spreadsheet would compute is marked as text, as in the CSV files.
  const aNumber = /^[+-]?\d[\d.,]*(e[+-]?\d+)?( ?%)?( [(\[][^A-Za-z=@]*( to [^A-Za-z=@]*)?[)\]])?$/i;
  const asText = (text) => (/^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) && !aNumber.test(text) ? `'${text}` : text);
  const csv = (rows) => `\ufeff${rows.map((row) => row.map((cell) => quoted(asText(cell))).join(",")).join("\r\n")}\r\n`;
  const tabbed = (rows) => rows.map((row) => row.map(asText).join("\t")).join("\n");
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* by hand, below */ }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  for (const frame of document.querySelectorAll(".table")) {
    const name = frame.dataset.name;
    // A table that is cut is copied from the whole one.
    const whole = frame.dataset.of && document.getElementById(frame.dataset.of);
    const rows = () => rowsOf((whole || frame).querySelector("table"));
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(
      button("Copy", async (self) => say(self, (await copy(tabbed(rows()))) ? "Copied" : "Not copied"), `Copy ${name}`),
      button("CSV", () => save(`${fileName(name)}.csv`, "text/csv", csv(rows())), `Download ${name} as CSV`),
    );
    (frame.querySelector(".cap") || frame)[frame.querySelector(".cap") ? "append" : "prepend"](tools);
  }

  // A file of its own: light, with its colours and its size written in.
  const alone = (drawn) => {
    const svg = drawn.cloneNode(true);
    const view = (svg.getAttribute("viewBox") || "0 0 600 400").split(/[ ,]+/).map(Number);
    svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    svg.setAttribute("width", view[2]);
    svg.setAttribute("height", view[3]);
    for (const style of svg.querySelectorAll("style")) {
      style.textContent = style.textContent.replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, "");
    }
    const text = new XMLSerializer().serializeToString(svg);
    return { text, width: view[2], height: view[3] };
  };
  const png = (drawn, name, self) => {
    const { text, width, height } = alone(drawn);
    const picture = new Image();
    const scale = 3;
    picture.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = width * scale;
      canvas.height = height * scale;
      const paper = canvas.getContext("2d");
      paper.fillStyle = "#fff";
      paper.fillRect(0, 0, canvas.width, canvas.height);
      paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((made) => save(`${name}.png`, "image/png", made));
    };
    picture.onerror = () => say(self, "Not drawn");
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  };
  for (const figure of document.querySelectorAll("figure")) {
    const drawn = figure.querySelector("svg");
    if (!drawn) continue;
    const name = fileName(figure.dataset.name || drawn.getAttribute("aria-label"));
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(
      button("SVG", () => save(`${name}.svg`, "image/svg+xml", alone(drawn).text), `Download ${name} as SVG`),
      button("PNG", (self) => png(drawn, name, self), `Download ${name} as PNG`),
    );
    const caption = figure.querySelector("figcaption");
    if (caption) caption.prepend(tools); else figure.append(tools);
  }

  for (const block of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(block.dataset.copy);
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(button("Copy the methods", async (self) => say(self, (await copy(source.textContent.replace(/\n\s*\n+/g, "\n\n").trim())) ? "Copied" : "Not copied"), "Copy the methods text"));
    block.append(tools);
  }

  // A link to what is folded unfolds it.
  const unfold = () => {
    let place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place) return;
    for (let at = place; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    place.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();
})();
