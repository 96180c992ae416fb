// Owns strict base64: Node's own decoder passes over what is no base64, and half a file would be written.

const alphabet = /[^A-Za-z0-9+/]/;

/**
 * @param text standard base64 with padding.
 * @throws Error in the words of codex 0.169: `Invalid symbol 42, offset 0.`
 */
export function decodeBase64(text: string): Buffer {
  const digits = text.replace(/={1,2}$/, '');
  const at = digits.search(alphabet);
  if (at >= 0) throw new Error(`Invalid symbol ${Buffer.from(digits.slice(at, at + 2)).readUInt8(0)}, offset ${at}.`);
  if (text.length % 4 !== 0) throw new Error(digits.length % 4 === 1 ? `Invalid input length: ${text.length}` : 'Invalid padding');
  if (digits.length % 4 === 1) throw new Error('Invalid padding');
  return Buffer.from(digits, 'base64');
}
