// Owns what must not be readable in a log: registered secrets in every spelling that text usually gives them, and
// what looks like one. It works on text before it is encoded, so the encoding can't be broken by it.

export const REDACTED = '[redacted]';

/**
 * A shorter secret could be an ordinary word (people set API_KEY=dummy): replacing it everywhere would eat the log.
 * It is replaced only where it is the whole text.
 */
const MIN_LENGTH_INSIDE_TEXT = 8;

/** Tokens and seeds of heddle are 64 hex digits; nothing in a log that looks like one is worth the risk. */
const HEX_SECRET = /[0-9a-f]{64,}/gi;
const AUTH_SCHEME = /\b(Bearer|Basic)\s+[A-Za-z0-9+/._~-]{8,}=*/gi;

/** Ends of field names, without separators and case: `accessToken`, `X-Api-Key`, `OPENAI_API_KEY`. */
const SECRET_NAME =
  /(token|authorization|password|passwd|passphrase|apikey|secret|secretkey|privatekey|accesskey|seed|cookie|credential|bearer)$/;
/** Plurals may be counts (`inputTokens: 512`), so there a number stays. */
const SECRET_PLURAL = /(token|password|apikey|secret|cookie|credential)s$/;

export class Redactor {
  readonly #secrets = new Set<string>();
  #pattern: RegExp | undefined;

  /** Replaces this text from now on; an empty one is no secret. */
  add(secret: string): void {
    if (secret === '' || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    const patterns = [...this.#secrets]
      .filter((text) => text.length >= MIN_LENGTH_INSIDE_TEXT)
      .toSorted((a, b) => b.length - a.length)
      .flatMap((text) => [anySpelling(text), ...base64Spellings(text)]);
    this.#pattern = patterns.length === 0 ? undefined : new RegExp(patterns.join('|'), 'gi');
  }

  text(text: string): string {
    if (this.#secrets.has(text)) return REDACTED;
    const clean = this.#pattern === undefined ? text : text.replace(this.#pattern, REDACTED);
    return clean.replace(HEX_SECRET, REDACTED).replace(AUTH_SCHEME, `$1 ${REDACTED}`);
  }

  /** Whether a field of this name is hidden whatever it holds. */
  hides(fieldName: string, value: unknown): boolean {
    if (value === undefined || value === null || typeof value === 'boolean') return false;
    const name = fieldName.toLowerCase().replaceAll(/[^a-z]/g, '');
    return SECRET_NAME.test(name) || (SECRET_PLURAL.test(name) && typeof value !== 'number');
  }
}

const shortEscapes: Record<string, string> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f', '"': '"', '\\': '\\', '/': '/' };

/** Matches the text as it is, inside JSON (also JSON inside JSON), and in a URL or a form. */
function anySpelling(secret: string): string {
  return Array.from(secret, (character) => {
    if (/[a-z0-9]/i.test(character)) return character;
    const spellings = [escapeForRegExp(character)];
    // JSON: each level of nesting doubles the backslashes.
    const escape = shortEscapes[character];
    if (escape !== undefined) spellings.push(`\\\\+${escapeForRegExp(escape)}`);
    spellings.push(Array.from({ length: character.length }, (_, at) => `\\\\+u${hex(character.charCodeAt(at), 4)}`).join(''));
    spellings.push(Array.from(Buffer.from(character), (byte) => `%${hex(byte, 2)}`).join(''));
    if (character === ' ') spellings.push('\\+');
    return `(?:${spellings.toReversed().join('|')})`;
  }).join('');
}

/**
 * The part of the base64 of any text around the secret that depends on the secret alone, for each of the three ways
 * in which it can lie across groups of three bytes (`Basic` holds base64 of `user:password`).
 */
function base64Spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor(((offset + bytes.length) * 8) / 6);
    return text.slice(from, to).replaceAll('+', '[+-]').replaceAll('/', '[/_]');
  });
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function escapeForRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
