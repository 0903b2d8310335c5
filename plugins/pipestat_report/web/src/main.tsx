/** Reads the document of the page and shows it. */
import { render } from "preact";
import { App } from "./app.ts";
import { Connection } from "./live/connection.ts";
import { readDocument } from "./model/document.ts";
import { Report } from "./model/report.ts";
import { showUnseen } from "./parts/visible.ts";
import { Frame } from "./views/frame.tsx";
import "./style.css";

const textOf = (id: string): string => document.getElementById(id)?.textContent?.trim() ?? "";

async function start(root: HTMLElement): Promise<void> {
  const source = textOf("source");
  const app = source ? await follow(source) : await open();
  render(<Frame app={app} />, root);
  document.documentElement.dataset.ready = "";
}

/** The report that the page itself carries. */
async function open(): Promise<App> {
  const data = await readDocument(textOf("data"));
  showUnseen();
  const app = new App(new Report(data, textOf("thumbnails")));
  document.getElementById("data")?.remove();
  return app;
}

/** The report of a store, kept up to date by a server. */
async function follow(source: string): Promise<App> {
  showUnseen();
  let app: App | null = null;
  const connection = new Connection(source, (data) => app?.replace(new Report(data, "")));
  app = new App(new Report(await connection.load(), ""));
  app.live = connection;
  connection.listen();
  return app;
}

const root = document.getElementById("app")!;
start(root).catch((error: unknown) => {
  const text = document.createElement("p");
  text.className = "broken";
  text.textContent =
    `This page cannot be shown: ${String(error)}. ` +
    "It needs a browser of 2023 or newer; without scripts it shows a summary.";
  root.setAttribute("role", "alert");
  root.replaceChildren(text);
});
