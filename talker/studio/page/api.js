/** Asking the studio. Every refusal is an Error with the one line that the command line would say. */

async function answer(response) {
  const facts = await response.json().catch(() => ({ error: `The studio answered ${response.status}` }));
  if (!response.ok) throw new Error(facts.error ?? `The studio answered ${response.status}`);
  return facts;
}

async function ask(path, options) {
  try {
    return await answer(await fetch(path, options));
  } catch (error) {
    throw error instanceof TypeError ? new Error("The studio cannot be reached; is it still running?") : error;
  }
}

const body = (facts) => ({
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(facts),
});
const enc = encodeURIComponent;

export const get = (path) => ask(path);
export const home = () => ask("/api/home");
export const words = () => ask("/api/words");
export const order = (facts) => ask("/api/jobs", body(facts));
export const command = (facts) => ask("/api/command", body(facts));
export const understand = (facts) => ask("/api/understand", body(facts));
export const cancel = (number) => ask(`/api/jobs/${number}`, { method: "DELETE" });
export const again = (number) => ask(`/api/jobs/${number}`, body({}));
export const speaker = (project) => ask(`/api/projects/${enc(project)}`);
export const figures = (project) => ask(`/api/projects/${enc(project)}/figures`);
export const rounds = (project, edit) => ask(`/api/projects/${enc(project)}/edits/${enc(edit)}/rounds`);
export const preview = (project, name) => ask(`/api/projects/${enc(project)}/previews/${enc(name)}`);
export const renameEdit = (project, edit, name) => ask(
  `/api/projects/${enc(project)}/edits/${enc(edit)}`,
  body({ name }),
);
export const removeEdit = (project, edit) => ask(
  `/api/projects/${enc(project)}/edits/${enc(edit)}`,
  { method: "DELETE" },
);
export const waveform = (sound) => ask(`/api/sounds/${enc(sound)}`);
export const fileUrl = (...parts) => `/files/${parts.flatMap((part) => part.split("/")).map(enc).join("/")}`;
export const thumbnailUrl = (project, edit, stamp) =>
  `/api/projects/${enc(project)}/thumbnail?v=${enc(stamp)}${edit ? `&edit=${enc(edit)}` : ""}`;

/** Send a file; `told` hears which share has gone. Resolves to the name that it has in the folder. */
export function upload(file, name, told = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much has gone
    request.open("PUT", `/api/files?name=${enc(name)}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    request.onload = () => {
      if (request.status === 200) resolve(request.response.name);
      else reject(new Error(request.response?.error ?? `The studio answered ${request.status}`));
    };
    request.onerror = () => reject(new Error("The file did not get through; try again"));
    request.send(file);
  });
}
