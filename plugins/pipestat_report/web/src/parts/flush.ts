import { options } from "preact";

/** Makes a change and draws it before it returns: a browser prints what stands there then. */
export function flushSync(change: () => void): void {
  const usual = options.debounceRendering;
  options.debounceRendering = (draw) => draw();
  try {
    change();
  } finally {
    if (usual) options.debounceRendering = usual;
    else delete options.debounceRendering;
  }
}
