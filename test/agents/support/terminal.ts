// A terminal program in tmux, as a person has it: a screen to look at and keys to press.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';

const COLUMNS = 120;
const ROWS = 40;
const SCREEN_TIMEOUT_MS = 30_000;

export class Terminal {
  /** A tmux server of our own, so that nobody's sessions are touched. */
  readonly #socket = `heddle-test-${randomBytes(4).toString('hex')}`;

  /** Starts `command` on a screen of 120 × 40. Throws when tmux is not installed. */
  constructor(command: string[], options: { env: NodeJS.ProcessEnv; cwd: string }) {
    const env = { ...options.env, TERM: 'xterm-256color', SHELL: '/bin/sh' };
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const size = ['-x', String(COLUMNS), '-y', String(ROWS)];
    // `exec`: the program is what tmux holds. After its end the screen stays, so that its last words can be read.
    execFileSync(
      'tmux',
      ['-L', this.#socket, 'new-session', '-d', ...size, '-c', options.cwd, `exec ${quoted}`, ';', 'set-option', 'remain-on-exit', 'on'],
      { env },
    );
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** Types text as it is; named keys (`Enter`, `Escape`, `C-c`) go through `press`. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** Puts text in at once, marked as pasted where the program has asked for that. */
  paste(text: string): void {
    this.#tmux('set-buffer', '-b', 'pasted', '--', text);
    this.#tmux('paste-buffer', '-p', '-d', '-b', 'pasted');
  }

  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Waits until the screen shows this. The failure shows the screen. */
  async shows(text: string | RegExp): Promise<void> {
    await this.#becomes(`show ${String(text)}`, (screen) => includes(screen, text));
  }

  /** The same for text that the program may have broken into lines anywhere. */
  async showsWrapped(text: string): Promise<void> {
    await this.#becomes(`show ${text}`, (screen) => withoutSpace(screen).includes(withoutSpace(text)));
  }

  /** Waits until the screen does not show this any more. */
  async hides(text: string | RegExp): Promise<void> {
    await this.#becomes(`stop showing ${String(text)}`, (screen) => !includes(screen, text));
  }

  end(): void {
    this.#tmux('kill-server');
  }

  async #becomes(what: string, isSo: (screen: string) => boolean): Promise<void> {
    try {
      await expect.poll(() => isSo(this.screen()), { timeout: SCREEN_TIMEOUT_MS, interval: 50 }).toBe(true);
    } catch (cause) {
      throw new Error(`the screen did not ${what}; it is\n${this.screen()}`, { cause });
    }
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }
}

function includes(screen: string, text: string | RegExp): boolean {
  return typeof text === 'string' ? screen.includes(text) : text.test(screen);
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s+/g, '');
}
