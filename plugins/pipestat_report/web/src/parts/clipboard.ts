import type { App } from "../app.ts";

/** Copies a text; where the browser has no clipboard for the page, by a selection. */
export async function copy(app: App, text: string, said = "Copied"): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  app.say(said);
}
