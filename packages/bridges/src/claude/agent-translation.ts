// Owns the translator's state of one conversation, and the files that it is shown for its differences.

import { readFileText, type TurnEvent } from '@heddle/bridge-kit';
import type { ThreadId } from '@heddle/wire';
import type { NativeMessage } from './native.ts';
import type { ClaudeStore } from './store.ts';
import { newTranslator, type Note, step, type StepResult, type Translator } from './translate.ts';

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
      const text = await readFileText(path);
      if (text !== undefined) this.note({ type: 'fileSeen', path, text });
    }
  }
}
