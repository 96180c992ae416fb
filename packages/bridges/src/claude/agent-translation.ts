// Owns the translator's state of one conversation, and the files that it is shown for its differences.

import { readFile, stat } from 'node:fs/promises';
import type { TurnEvent } from '@heddle/bridge-kit';
import type { ThreadId } from '@heddle/wire';
import type { NativeMessage } from './native.ts';
import type { ClaudeStore } from './store.ts';
import { newTranslator, type Note, step, type StepResult, type Translator } from './translate.ts';

/** A file that is larger is changed without its difference being shown beforehand. */
const MAX_DIFFED_BYTES = 1024 * 1024;

export class Translation {
  #state: Translator;

  /** With what claude remembers of an earlier part of the conversation. */
  static async of(threadId: ThreadId, cwd: string, store: ClaudeStore): Promise<Translation> {
    return new Translation(newTranslator({ threadId, cwd, tasks: await store.tasks(threadId) }));
  }

  constructor(state: Translator) {
    this.#state = state;
  }

  message(message: NativeMessage): StepResult {
    const result = step(this.#state, message);
    this.#state = result.state;
    return result;
  }

  note(note: Note): TurnEvent[] {
    const { state, out } = step(this.#state, note);
    this.#state = state;
    return out;
  }

  /** What claude proposes is compared with what is there. */
  async seeFiles(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const text = await textOf(path);
      if (text !== undefined) this.note({ type: 'fileSeen', path, text });
    }
  }
}

/** `null` when there is no such file; `undefined` when it can't be shown. */
async function textOf(path: string): Promise<string | null | undefined> {
  try {
    const stats = await stat(path);
    return !stats.isFile() || stats.size > MAX_DIFFED_BYTES ? undefined : await readFile(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : undefined;
  }
}
