// What the sessions that are written for a bench have in common, whatever agent they are of.

const WRITES_AT_ONCE = 64;

/** The file that is edited in them, before. */
export const editedFile = Array.from({ length: 60 }, (_, line) => `line ${line}\n`).join('');

/** Writes so many, some at once. */
export async function atOnce(count: number, write: (n: number) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < count; first += WRITES_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(WRITES_AT_ONCE, count - first) }, (_, offset) => first + offset);
    await Promise.all(numbers.map(write));
  }
}
