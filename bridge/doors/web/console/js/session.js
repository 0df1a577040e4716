// The token: fetched once with the code of a one-time link, kept in this browser, sent only as a header.
//
// The link is `http://127.0.0.1:PORT/#code=…`; browsers never send what stands after `#`, and it is taken out of the
// address bar (and so out of the history) before anything else happens.

const KEY = "nrx.token";

export const storedToken = () => localStorage.getItem(KEY);
export const forgetToken = () => localStorage.removeItem(KEY);
export const keepToken = (token) => localStorage.setItem(KEY, token);

/** Return the code in the address, and take it out of there. */
export function takeCode() {
  const match = /^#code=([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (match === null) return null;
  history.replaceState(null, "", location.pathname);
  return match[1];
}
