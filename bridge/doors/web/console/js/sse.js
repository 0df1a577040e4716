// The text of a server-sent event stream, put together from pieces as they arrive.
// Source: HTML Living Standard, section 9.2.6 "Interpreting an event stream". Pure.

export function sseMessages() {
  let rest = "";
  let fields = { data: [], event: "message", id: null };
  return {
    /** Take the next piece of text; return the messages that it completed. */
    push(piece) {
      const done = [];
      const text = rest + piece;
      const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
      const lines = whole.split(/\r\n|\n|\r/);
      rest = lines.pop() + text.slice(whole.length);
      for (const line of lines) {
        if (line === "") {
          if (fields.data.length) done.push({ ...fields, data: fields.data.join("\n") });
          fields = { data: [], event: "message", id: fields.id };
          continue;
        }
        const colon = line.indexOf(":");
        if (colon === 0) continue;
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "data") fields.data.push(value);
        else if (name === "event") fields.event = value;
        else if (name === "id") fields.id = value;
      }
      return done;
    },
  };
}
