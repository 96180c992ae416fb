// Owns what a stranger may say before the key exchange: multistream-select messages, few and short, read a byte at a
// time. It refuses everything else at its first wrong byte, and keeps no more than one message.

/** The first message of every dialer (multistream-select specification). */
export const MULTISTREAM = '/multistream/1.0.0';

/** A length of one byte; protocol names before the key exchange are shorter (`/noise`, `/tls/1.0.0`, `/plaintext/2.0.0`). */
const MAX_MESSAGE_BYTES = 64;
/** The greeting and some ten proposals. */
const MAX_NEGOTIATION_BYTES = 512;
const NEWLINE = 0x0a;

/** Reads the dialer's side of a negotiation: each message is a length, printable ASCII and a newline. */
export class NegotiationReader {
  #text = '';
  /** Bytes still to come of the message; 0 when a length comes next. */
  #missing = 0;
  #taken = 0;
  #isGreeted = false;

  /**
   * Takes one byte; returns a message, without its newline, when this byte completes it.
   * @throws Error when no honest dialer sends this byte here.
   */
  take(byte: number): string | undefined {
    if (++this.#taken > MAX_NEGOTIATION_BYTES) throw new Error('too many proposals');
    if (this.#missing === 0) {
      if (byte < 2 || byte > MAX_MESSAGE_BYTES) throw new Error(`a message of ${byte} bytes`);
      this.#missing = byte;
      return undefined;
    }
    this.#missing--;
    if (this.#missing === 0) return this.#end(byte);
    if (byte <= 0x20 || byte > 0x7e) throw new Error('a message that is no text');
    this.#text += String.fromCharCode(byte);
    if (!this.#isGreeted && !MULTISTREAM.startsWith(this.#text)) throw new Error('another protocol than multistream-select');
    return undefined;
  }

  #end(byte: number): string {
    if (byte !== NEWLINE) throw new Error('a message without a newline');
    if (!this.#isGreeted && this.#text !== MULTISTREAM) throw new Error('another protocol than multistream-select');
    const message = this.#text;
    this.#isGreeted = true;
    this.#text = '';
    return message;
  }
}

/** One message as multistream-select writes it. */
export function encodeNegotiation(message: string): Uint8Array {
  const text = new TextEncoder().encode(`${message}\n`);
  return Uint8Array.of(text.byteLength, ...text);
}
