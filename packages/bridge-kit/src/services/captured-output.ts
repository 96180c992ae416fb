// Owns the text that a command writes: decoded across chunk borders, passed on in bundles, cut at a bound.

/** What is kept of one command's output, in bytes of UTF-8. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Output is passed on at most so often, or a chatty command would cost a message for each of its writes. */
const BUNDLE_MS = 25;

export interface CapturedOutputOptions {
  onText: (text: string) => void;
  maxBytes?: number;
}

export class CapturedOutput {
  readonly #onText: (text: string) => void;
  readonly #maxBytes: number;
  /** One for each stream: a character of one may be cut where the other writes. */
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  #text = '';
  #bundle = '';
  #keptBytes = 0;
  #cutBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CapturedOutputOptions) {
    this.#onText = options.onText;
    this.#maxBytes = options.maxBytes ?? MAX_OUTPUT_BYTES;
  }

  /** All bytes that were written, kept or not. */
  get totalBytes(): number {
    return this.#keptBytes + this.#cutBytes;
  }

  push(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    this.#take(this.#decoders[stream].decode(chunk, { stream: true }));
  }

  /** The end of all output. @returns the text, with a note of what was cut; it equals what `onText` was given. */
  end(): string {
    this.#take(this.#decoders.stdout.decode());
    this.#take(this.#decoders.stderr.decode());
    if (this.#cutBytes > 0) this.#keep(`\n[${this.#cutBytes} more bytes of output were left out]\n`);
    this.#passOn();
    return this.#text;
  }

  #take(text: string): void {
    const bytes = Buffer.byteLength(text);
    const room = this.#maxBytes - this.#keptBytes;
    if (this.#cutBytes > 0 || bytes > room) {
      const kept = this.#cutBytes > 0 ? '' : cutToBytes(text, room);
      const keptBytes = Buffer.byteLength(kept);
      this.#keptBytes += keptBytes;
      this.#cutBytes += bytes - keptBytes;
      this.#keep(kept);
      return;
    }
    this.#keptBytes += bytes;
    this.#keep(text);
  }

  #keep(text: string): void {
    if (text === '') return;
    this.#text += text;
    this.#bundle += text;
    this.#timer ??= setTimeout(() => this.#passOn(), BUNDLE_MS);
  }

  #passOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bundle = this.#bundle;
    this.#bundle = '';
    if (bundle !== '') this.#onText(bundle);
  }
}

/** The longest start of a text that has at most so many bytes and cuts no character. */
function cutToBytes(text: string, maxBytes: number): string {
  const buffer = Buffer.alloc(maxBytes);
  const { read } = new TextEncoder().encodeInto(text, buffer);
  return text.slice(0, read);
}
