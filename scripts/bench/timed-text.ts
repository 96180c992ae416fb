// A text that comes in pieces, with the time of each, at several places on its way.

export interface TimedText {
  atMs: number;
  text: string;
}

/** Of a clock that is the same in every process of this computer: CLOCK_MONOTONIC, or macOS's equal. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * How long each piece took from one place to the next, in milliseconds; pieces may have been joined on the way.
 * @throws Error when it is not the same text.
 */
export function delaysMs(from: readonly TimedText[], to: readonly TimedText[]): number[] {
  const whole = (pieces: readonly TimedText[]) => pieces.map(({ text }) => text).join('');
  if (whole(from) !== whole(to) || from.length === 0)
    throw new Error(`another text arrived: ${whole(from).length} characters were sent, ${whole(to).length} came`);
  const arrivals = to[Symbol.iterator]();
  let arrived = 0;
  let atMs = 0;
  let sent = 0;
  return from.map((piece) => {
    sent += piece.text.length;
    while (arrived < sent) {
      const { value } = arrivals.next() as IteratorYieldResult<TimedText>;
      arrived += value.text.length;
      atMs = value.atMs;
    }
    return atMs - piece.atMs;
  });
}
