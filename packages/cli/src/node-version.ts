// Owns the oldest Node that heddle runs on. It imports nothing, so that it can speak before anything else fails.

const OLDEST = [22, 12] as const;

/** What to tell the user of a Node that is too old; undefined for one that will do. `version` as in `22.12.0`. */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return `heddle needs Node.js ${OLDEST.join('.')} or newer, this is ${version}: install a current one from https://nodejs.org`;
}
