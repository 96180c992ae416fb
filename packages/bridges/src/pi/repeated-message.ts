// Owns leaving unread what pi 0.73 repeats: with each piece of an answer the whole answer so far, twice. A long answer
// would be parsed thousands of times.

const UPDATE = '{"type":"message_update","assistantMessageEvent":{';
/** Within a string of JSON there would be backslashes before the quotes. */
const REPEATED = ',"partial":{';

/** One line of pi's as text, without what repeats in it. */
export function textOfLine(line: Uint8Array): string {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  if (bytes.toString('latin1', 0, UPDATE.length) !== UPDATE) return bytes.toString('utf8');
  const end = bytes.indexOf(REPEATED);
  return end < 0 ? bytes.toString('utf8') : `${bytes.toString('utf8', 0, end)}}}`;
}
