// Where the console begins: sign in, draw the frame, show the page that the address names.

import { Api, openSession } from "./api.js";
import { App } from "./app.js";
import { fill } from "./dom.js";
import { frame } from "./frame.js";
import { signInPage } from "./pages/signin.js";
import { tell } from "./parts/toast.js";
import { forgetToken, keepToken, storedToken, takeCode } from "./session.js";
import { applyTheme } from "./theme.js";

const root = document.getElementById("app");

async function begin() {
  applyTheme();
  const code = takeCode();
  let problem = "";
  if (code !== null) {
    try {
      keepToken(await openSession(code));
    } catch (error) {
      problem = error.sentence;
    }
  }
  const token = storedToken();
  if (token === null) return signIn(problem);
  const api = new Api(token);
  api.addEventListener("signed-out", () => {
    forgetToken();
    app.feed.stop();
    signIn("This browser's access is no longer valid.");
  }, { once: true });
  const app = new App(api);
  globalThis.nrx = app;
  try {
    await app.start();
  } catch (error) {
    if (error.status === 401) return undefined;
    tell(error);
  }
  return frame(root, app);
}

function signIn(problem) {
  fill(root, signInPage(problem));
  addEventListener("hashchange", () => location.hash.startsWith("#code=") && location.reload());
}

begin();
