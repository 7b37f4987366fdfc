/** @file The report's stylesheet: light and dark from one set of names, print, narrow pages. */

export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfaf7; --card: #ffffff; --ink: #1d2126; --soft: #555d66; --line: #d9d6cd;
  --chosen: #1f63b5; --rejected: #b9500b; --faint: #7d858e; --reference: #5f6770;
  --good: #1d6b3a; --warn: #8a5200; --bad: #a8232b; --code: #f1efe9; --focus: #1f63b5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1c2024; --ink: #e7e5df; --soft: #a9b0b8; --line: #363c43;
    --chosen: #74b0f4; --rejected: #f2994a; --faint: #8f98a1; --reference: #a3abb3;
    --good: #7bcf98; --warn: #eab65a; --bad: #ff8a8a; --code: #262b30; --focus: #9cc8fa;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 74rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
main { padding-bottom: 4rem; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: 1.9rem; margin: 0 0 .4rem; }
h2 { font-size: 1.4rem; margin: 0 0 .8rem; }
h3 { font-size: 1.05rem; margin: 0 0 .6rem; }
p { margin: 0 0 .8rem; max-width: 46rem; }
a { color: var(--chosen); }
code { font: .92em ui-monospace, monospace; background: var(--code); padding: .05em .3em; border-radius: 3px; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; background: var(--card); padding: .5rem 1rem; z-index: 1; }
.skip:focus { left: .5rem; top: .5rem; }
.kicker { color: var(--soft); margin: 0; font-size: .85rem; letter-spacing: .04em; text-transform: uppercase; }
.about { color: var(--soft); }
.status { border-left: 4px solid var(--soft); padding: .4rem .8rem; background: var(--card); }
.status.finished { border-color: var(--good); }
.status.running { border-color: var(--warn); }
.status.stopped { border-color: var(--bad); }
nav li { margin: 0; }
nav ul { list-style: none; margin: 0 0 1.2rem; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .95rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1.2rem 1.2rem .8rem; margin: 0 0 1.2rem; }
.headline { font-size: 1.35rem; margin-bottom: .4rem; max-width: none; }
.headline strong { font-size: 2.3rem; font-variant-numeric: tabular-nums; }
.headline .interval { color: var(--soft); font-size: 1.05rem; }
.conclusion { font-size: 1.1rem; font-weight: 600; }
ul { padding-left: 1.2rem; margin: 0 0 1rem; max-width: 46rem; }
li { margin-bottom: .5rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.2rem 2.2rem; align-items: start; }
.figures > * { min-width: 0; }
figure { margin: 0 0 .6rem; max-width: 36rem; break-inside: avoid; }
@media (min-width: 62rem) {
  .figures > figure:only-child { display: grid; grid-template-columns: minmax(0, 36rem) minmax(0, 1fr); column-gap: 2.2rem; max-width: none; }
  .figures > figure:only-child > * { grid-column: 1; }
  .figures > figure:only-child > figcaption { grid-column: 2; grid-row: 1 / span 5; }
}
figure svg { width: 100%; height: auto; overflow: visible; }
figcaption { color: var(--soft); font-size: .93rem; }
figcaption p { margin: 0 0 .5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .9rem; margin: 0 0 .3rem; }
.legend span { display: inline-flex; align-items: center; gap: .4rem; }
.swatch { display: inline-block; flex: none; width: 1.1rem; height: .7rem; border-radius: 2px; color: var(--reference); background: currentColor; print-color-adjust: exact; }
.swatch.line { height: 3px; }
.swatch.dashed { height: 0; border-top: 2px dashed currentColor; background: none; border-radius: 0; }
.swatch.dot { width: .7rem; border-radius: 50%; }
.swatch.chosen { color: var(--chosen); } .swatch.rejected { color: var(--rejected); } .swatch.train { color: var(--faint); }
dl { margin: 0 0 .8rem; max-width: 46rem; font-size: .95rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; color: var(--soft); }
details { margin: 0 0 .6rem; }
summary { cursor: pointer; padding: .25rem .2rem; border-radius: 4px; color: var(--chosen); }
.scroll { overflow-x: auto; max-width: 100%; margin-bottom: .8rem; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td { min-width: 4rem; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.findings, .commands { list-style: none; padding: 0; }
.error { color: var(--bad); } .warning { color: var(--warn); } .note { color: var(--good); }
.where { color: var(--soft); font-size: .88rem; }
.excerpt { color: var(--soft); }
.command { display: inline-block; }
.pair { border-left: 3px solid var(--line); padding-left: .9rem; margin: .3rem 0 1rem; }
.replies { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: .8rem; }
.label { font-weight: 600; font-size: .88rem; margin: 0 0 .2rem; color: var(--soft); }
.reply { min-width: 0; border-top: 3px solid; padding-top: .3rem; }
.reply.chosen { border-color: var(--chosen); } .reply.rejected { border-color: var(--rejected); }
.reply.chosen .label { color: var(--chosen); } .reply.rejected .label { color: var(--rejected); }
pre { margin: 0 0 .8rem; white-space: pre-wrap; overflow-wrap: anywhere; font: .93rem/1.5 system-ui, sans-serif; unicode-bidi: isolate; }
.cut, .empty { color: var(--soft); font-size: .88rem; margin: 0 0 .3rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media (max-width: 30rem) {
  header, main { padding-left: .6rem; padding-right: .6rem; }
  section { padding: .9rem .7rem .5rem; }
  .headline strong { font-size: 1.9rem; }
}
@media print {
  :root {
    color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --chosen: #1f63b5; --rejected: #b9500b;
    --faint: #777; --reference: #555; --good: #1d6b3a; --warn: #8a5200; --bad: #a8232b; --code: #f3f3f3;
  }
  nav, .skip { display: none; }
  section { border: 0; padding: 0; }
  details::details-content { content-visibility: visible; height: auto; }
  .scroll { overflow: visible; }
  summary { color: var(--ink); }
}
`;
