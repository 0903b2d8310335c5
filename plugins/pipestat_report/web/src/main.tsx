/** Reads the document of the page and shows it. */
import { render } from "preact";
import { App } from "./app.ts";
import { readDocument } from "./model/document.ts";
import { Report } from "./model/report.ts";
import { showUnseen } from "./parts/visible.ts";
import { Frame } from "./views/frame.tsx";
import "./style.css";

const textOf = (id: string): string => document.getElementById(id)?.textContent?.trim() ?? "";

async function start(root: HTMLElement): Promise<void> {
  const data = await readDocument(textOf("data"));
  showUnseen();
  const app = new App(new Report(data, textOf("thumbnails")));
  document.getElementById("data")?.remove();
  render(<Frame app={app} />, root);
  document.documentElement.dataset.ready = "";
}

const root = document.getElementById("app")!;
start(root).catch((error: unknown) => {
  const text = document.createElement("p");
  text.className = "broken";
  text.textContent =
    `This page cannot be shown: ${String(error)}. ` +
    "It needs a browser of 2023 or newer; without scripts it shows a summary.";
  root.replaceChildren(text);
});
