// Owns how often an agent's program is asked whether it can be used (is somebody logged in, is there a model), which costs
// a process each time: a yes is believed for a minute, anything else is asked about anew, since a user mends it at any moment.

const BELIEVE_MS = 60_000;

/**
 * @param ask starts the program; `undefined`: it does not tell
 * @returns the same question, for which those who ask while an answer is awaited get the same
 */
export function believingYes<Args extends unknown[]>(
  ask: (...args: Args) => Promise<boolean | undefined>,
): (...args: Args) => Promise<boolean | undefined> {
  let untilMs = 0;
  let asking: Promise<boolean | undefined> | undefined;
  return async (...args) => {
    if (performance.now() < untilMs) return true;
    asking ??= ask(...args).finally(() => {
      asking = undefined;
    });
    const answer = await asking;
    if (answer === true) untilMs = performance.now() + BELIEVE_MS;
    return answer;
  };
}
