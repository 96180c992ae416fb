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

  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  /** Waits until the screen shows this. The failure shows the screen. */
  async shows(text: string | RegExp): Promise<void> {
    const pattern = typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text);
    await expect.poll(() => this.screen(), { timeout: SCREEN_TIMEOUT_MS, interval: 50 }).toEqual(pattern);
  }

  end(): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }
}
