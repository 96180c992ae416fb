// Owns the output of one `command/exec`: kept for the answer, or passed on in parts; cut at its cap, for each of the
// two streams. A command that floods is held back, whatever becomes of its output.

import type { CommandExecOutputDelta } from '@heddle/wire';
import type { CommandProcess, OutputStream } from './command-process.ts';

/** The largest part, as in codex 0.169. */
const MAX_PART_BYTES = 64 * 1024;
/** Parts of one stream leave at most so often, or a chatty command would cost a message for each of its writes. */
const BUNDLE_MS = 15;
/**
 * A session ends when too much waits for its client. Who streams can't see how much that is, so it streams no faster
 * than a phone can read after a first burst.
 */
const STREAM_BURST_BYTES = 4 * 1024 * 1024;
const STREAM_BYTES_PER_SECOND = 512 * 1024;
/** What is not passed on costs the daemon its reading only: 64 MiB a second. */
const UNSENT_DISCOUNT = 128;

export interface ExecOutputOptions {
  /** For each stream. Infinite: no cap. */
  capBytes: number;
  /** A command that has more than this kept of one stream, since its cap allows it, is ended. */
  maxKeptBytes: number;
  /** Absent: output is kept for the answer. */
  onDelta: ((delta: Omit<CommandExecOutputDelta, 'processId'>) => void) | undefined;
}

interface StreamOutput {
  /** What was kept, or waits to be passed on. */
  chunks: Uint8Array[];
  waitingBytes: number;
  takenBytes: number;
  isCut: boolean;
  lastPartMs: number;
  timer: NodeJS.Timeout | undefined;
}

type Source = Pick<CommandProcess, 'pause' | 'resume' | 'end'>;

const newStream = (): StreamOutput => ({
  chunks: [],
  waitingBytes: 0,
  takenBytes: 0,
  isCut: false,
  lastPartMs: 0,
  timer: undefined,
});

export class ExecOutput {
  readonly #options: ExecOutputOptions;
  readonly #streams = { stdout: newStream(), stderr: newStream() };
  #source: Source | undefined;
  #isTooMuch = false;
  #credit = STREAM_BURST_BYTES;
  #creditAtMs = Date.now();
  #pauseTimer: NodeJS.Timeout | undefined;

  constructor(options: ExecOutputOptions) {
    this.#options = options;
  }

  /** Whose output this is: from now on held back when it comes too fast, ended when it is too much to keep. */
  holdBack(source: Source): void {
    this.#source = source;
    if (this.#isTooMuch) source.end();
  }

  /** More came than may be kept: what was kept is not the whole. */
  get isTooMuch(): boolean {
    return this.#isTooMuch;
  }

  push(name: OutputStream, chunk: Uint8Array): void {
    const stream = this.#streams[name];
    const room = this.#options.capBytes - stream.takenBytes;
    const taken = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    stream.takenBytes += taken.byteLength;
    if (taken.byteLength > 0) {
      stream.chunks.push(taken);
      stream.waitingBytes += taken.byteLength;
    }
    const isFirstCut = taken.byteLength < chunk.byteLength && !stream.isCut;
    stream.isCut ||= isFirstCut;
    const sentBytes = this.#options.onDelta === undefined ? 0 : taken.byteLength;
    this.#spend(sentBytes + (chunk.byteLength - sentBytes) / UNSENT_DISCOUNT);
    if (this.#options.onDelta === undefined) {
      if (stream.waitingBytes > this.#options.maxKeptBytes) this.#giveUp();
      return;
    }
    if (taken.byteLength === 0 && !isFirstCut) return;
    if (isFirstCut || stream.waitingBytes >= MAX_PART_BYTES || Date.now() - stream.lastPartMs >= BUNDLE_MS) this.#passOn(name);
    else stream.timer ??= setTimeout(() => this.#passOn(name), BUNDLE_MS);
  }

  /** Nothing more comes. What waits is passed on; @returns what was kept for the answer. */
  end(): { stdout: string; stderr: string } {
    clearTimeout(this.#pauseTimer);
    if (this.#options.onDelta === undefined) return { stdout: textOf(this.#streams.stdout), stderr: textOf(this.#streams.stderr) };
    for (const name of ['stdout', 'stderr'] as const) if (this.#streams[name].waitingBytes > 0) this.#passOn(name);
    return { stdout: '', stderr: '' };
  }

  #giveUp(): void {
    this.#isTooMuch = true;
    for (const stream of [this.#streams.stdout, this.#streams.stderr]) {
      stream.chunks = [];
      stream.waitingBytes = 0;
    }
    this.#source?.end();
  }

  #passOn(name: OutputStream): void {
    const stream = this.#streams[name];
    clearTimeout(stream.timer);
    stream.timer = undefined;
    stream.lastPartMs = Date.now();
    const bytes = Buffer.concat(stream.chunks);
    stream.chunks = [];
    stream.waitingBytes = 0;
    // An empty part tells of a cap that was reached exactly before.
    for (let at = 0; at === 0 || at < bytes.byteLength; at += MAX_PART_BYTES) {
      const part = bytes.subarray(at, at + MAX_PART_BYTES);
      const capReached = stream.isCut && at + MAX_PART_BYTES >= bytes.byteLength;
      this.#options.onDelta?.({ stream: name, deltaBase64: part.toString('base64'), capReached });
    }
  }

  #spend(bytes: number): void {
    const nowMs = Date.now();
    const earned = ((nowMs - this.#creditAtMs) / 1_000) * STREAM_BYTES_PER_SECOND;
    this.#credit = Math.min(this.#credit + earned, STREAM_BURST_BYTES) - bytes;
    this.#creditAtMs = nowMs;
    if (this.#credit >= 0 || this.#pauseTimer !== undefined) return;
    this.#source?.pause();
    this.#pauseTimer = setTimeout(
      () => {
        this.#pauseTimer = undefined;
        this.#source?.resume();
      },
      (-this.#credit / STREAM_BYTES_PER_SECOND) * 1_000,
    );
  }
}

/** A character that the cap has cut is left out; bytes that are no characters are replaced. */
function textOf(stream: StreamOutput): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(stream.chunks), { stream: stream.isCut });
}
