// Bundles the front end: `node build.mjs [FOLDER]` writes report.js and report.css there.
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "..", "static");

// What the bundle holds of others, with the notice that their licences ask for.
const notices = ["preact", "@preact/signals"].map((name) => {
  const licence = readFileSync(join(here, "node_modules", name, "LICENSE"), "utf8");
  return `${name}\n\n${licence.trim()}`;
});

await build({
  absWorkingDir: here,
  entryPoints: { report: "src/main.tsx" },
  outdir: folder,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome103", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  banner: { js: `/*! ${notices.join("\n\n")} */` },
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
