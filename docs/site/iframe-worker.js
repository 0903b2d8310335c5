// A browser starts no Worker for a page that was opened as a file. There the search runs in a hidden
// frame, which is spoken to like a Worker. MkDocs Material asks for a script of this name.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise((resolve) => {
        frame.onload = () => {
          frame.onload = null;
          const { document: inside } = (this.inside = frame.contentWindow);
          this.inside.postMessage = (data) =>
            this.dispatchEvent(new MessageEvent("message", { data }));
          const script = inside.createElement("script");
          script.src = address;
          script.onload = resolve;
          inside.head.append(script);
        };
      });
      document.body.append(frame);
    }

    async postMessage(data) {
      await this.ready;
      this.inside.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
}
