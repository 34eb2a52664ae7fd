"""CSS and JavaScript of the HTML report."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5d6878; --line: #e0e4ea;
  --ground: #ffffff; --panel: #f5f7fa; --accent: #2458b8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe4ec; --soft: #98a3b3; --line: #313a47; --ground: #14181f;
    --panel: #1c222c; --accent: #7fa8f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 28px 72px; }
.over { color: var(--soft); margin: 0 0 10px; }
h1 { font-size: 25px; line-height: 1.38; font-weight: 600; margin: 0 0 14px; max-width: 46em;
  text-wrap: pretty; overflow-wrap: anywhere; }
h2 { font-size: 18px; font-weight: 600; margin: 46px 0 6px; }
p { margin: 0 0 12px; max-width: 52em; }
.soft, .best { color: var(--soft); }
.best b { color: var(--ink); font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px;
  vertical-align: bottom; white-space: nowrap; }
th, td { padding: 8px 14px 8px 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
.n { text-align: right; white-space: nowrap; }
.what { min-width: 15em; overflow-wrap: anywhere; }
.pair { text-align: right; min-width: 6em; }
.why { color: var(--soft); min-width: 9em; overflow-wrap: anywhere; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; }
th button:hover, th button:focus-visible { color: var(--accent); }
th[aria-sort] button { color: var(--ink); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
dl { display: grid; grid-template-columns: minmax(9em, 12em) 1fr; gap: 6px 20px; margin: 8px 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; max-width: 52em; }
summary { cursor: pointer; }
pre { margin: 8px 0 0; padding: 10px 12px; background: var(--panel); overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12.5px; line-height: 1.45; }
pre, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.plot { margin: 4px 0 14px; min-height: 440px; }
.plot text { fill: var(--ink) !important; }
.plot .gridlayer path { stroke: var(--line) !important; }
.plot .hoverlayer .hovertext path { fill: var(--panel) !important;
  stroke: var(--line) !important; }
@media (max-width: 840px) { main { padding: 26px 18px 48px; } h1 { font-size: 21px; }
  th, th.n { white-space: normal; } th, td { padding-right: 10px; }
  .what { min-width: 12em; } body { font-size: 14px; } dl { grid-template-columns: 8em 1fr; } }
"""

SCRIPT = """
for (const plot of document.querySelectorAll(".plot")) {
  const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
  Plotly.newPlot(plot, figure.data, figure.layout,
    { responsive: true, displaylogo: false, displayModeBar: false });
}
const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = (a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const sign = head.classList.contains("n") ? x - y : x.localeCompare(y);
      return down ? -sign : sign;
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
  }));
}
"""
