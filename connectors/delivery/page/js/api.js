/** HTTP with the delivery service: JSON in, problem documents as errors. Paths are relative to the page. */

/** An answer that is none: `status` 0 when the service could not be reached. */
export class ApiError extends Error {
  constructor(status, code, detail) {
    super(detail || code || `HTTP ${status}`);
    this.status = status;
    this.code = code;
  }
}

/** GET `path` with `query` (null leaves a parameter out). Throws ApiError. */
export async function getJson(path, query = {}, { signal } = {}) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  const answer = await reach(url, { signal, headers: { Accept: "application/json" } });
  return answer.json();
}

/** Log in with an API key; the session is in a cookie then. Throws ApiError, 401 for a wrong key. */
export async function logIn(key) {
  await reach(new URL("login", document.baseURI), { method: "POST", body: new URLSearchParams({ key }), redirect: "manual" });
}

/** End the session. */
export async function logOut() {
  await reach(new URL("logout", document.baseURI), { method: "POST", redirect: "manual" });
}

async function reach(url, options) {
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "The delivery service does not answer.");
  }
  if (answer.ok || answer.type === "opaqueredirect") return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new ApiError(answer.status, problem.code ?? "", problem.detail ?? problem.title ?? "");
}
