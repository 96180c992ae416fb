// Replays recordings of pi (test/goldens/pi-…) through the translator, as the driver of a real pi would.

import { readFileSync } from 'node:fs';
import { applyEvent, type ItemsById, type TurnEvent, type TurnOutcome } from '@heddle/bridge-kit';
import type { ThreadItem } from '@heddle/wire';
import { decodeEvent, type NativeEvent } from '../../../../packages/bridges/src/pi/native.ts';
import type { ToolCall } from '../../../../packages/bridges/src/pi/native-messages.ts';
import { filesToSee, newTranslator, outcomeOf, step, type Translator } from '../../../../packages/bridges/src/pi/translate.ts';

export interface Line {
  dir: string;
  data: unknown;
}
export interface ReplayedTurn {
  events: TurnEvent[];
  items: ThreadItem[];
  /** `undefined`: the recording stops before. */
  outcome: TurnOutcome | undefined;
}

export function readRecording(url: URL): Line[] {
  return readFileSync(url, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** A turn begins with the first thing that pi does, and ends when it does nothing more by itself. */
export function replay(recording: readonly Line[]): { turns: ReplayedTurn[]; unknownKinds: string[] } {
  const events = recording.flatMap((line) => eventsOf(line));
  const disk = new Disk(recording);
  const turns: ReplayedTurn[] = [];
  const unknownKinds: string[] = [];
  let translator = newTranslator({ cwd: '/CWD', contextWindow: 128_000 });
  let turn: ReplayedTurn | undefined;
  let items: ItemsById = new Map();
  for (const [index, event] of events.entries()) {
    if (event.type === 'gone') {
      turn = undefined; // it was killed in the middle
      continue;
    }
    if (event.type === 'unknown') unknownKinds.push(event.kind);
    if (turn === undefined) {
      if (event.type !== 'runStarted' && event.type !== 'compactionStarted') continue;
      turn = { events: [], items: [], outcome: undefined };
      items = new Map();
      turns.push(turn);
      translator = step(translator, { type: 'turnBegan' }).state;
    }
    const { state, out } = disk.step(translator, event);
    translator = state;
    turn.events.push(...out);
    for (const each of out) applyEvent(items, each);
    turn.items = [...items.values()];
    if (event.type !== 'settled' && !isLast(event, events.slice(index + 1))) continue;
    turn.outcome = outcomeOf(translator);
    turn = undefined;
  }
  return { turns, unknownKinds };
}

/** Files as they would be: what pi's tools change is looked at before and after. */
class Disk {
  readonly #files = new Map<string, string>();
  readonly #calls = new Map<string, ToolCall>();

  /** What there is when a recording begins that changes it. */
  constructor(recording: readonly Line[]) {
    if (JSON.stringify(recording).includes('"toolName":"edit"')) this.#files.set('/CWD/hello.txt', 'hello\nworld\n');
  }

  step(translator: Translator, event: NativeEvent): ReturnType<typeof step> {
    if (event.type === 'toolEnded' && !event.result.isError) this.#change(event.result.toolCallId);
    let state = translator;
    for (const path of filesToSee(event, state)) state = step(state, { type: 'fileSeen', path, text: this.#files.get(path) ?? null }).state;
    if (event.type === 'messageEnded' && event.message.role === 'assistant')
      for (const block of event.message.blocks) if (block.type === 'toolCall') this.#calls.set(block.id, block);
    return step(state, event);
  }

  #change(toolCallId: string): void {
    const call = this.#calls.get(toolCallId);
    if (call === undefined) return;
    const { name, input } = call;
    const path = String(input['path']);
    if (name === 'write') this.#files.set(path, String(input['content']));
    const [edit] = (input['edits'] ?? []) as { oldText: string; newText: string }[];
    if (name === 'edit' && edit !== undefined) this.#files.set(path, (this.#files.get(path) ?? '').replace(edit.oldText, edit.newText));
  }
}

type Event = NativeEvent | { type: 'gone' };

function eventsOf({ dir, data }: Line): Event[] {
  if (dir === 'exit') return [{ type: 'gone' }];
  if (dir !== 'out' || typeof data !== 'object' || data === null || !('type' in data) || data.type === 'response') return [];
  return [decodeEvent(data as Parameters<typeof decodeEvent>[0])];
}

/** What 0.73 does not say: nothing follows by itself. */
function isLast(event: NativeEvent, rest: readonly Event[]): boolean {
  const next = rest.find(({ type }) => type !== 'ignored')?.type;
  const isEnd = next === undefined || next === 'gone' || next === 'runStarted' || next === 'compactionStarted';
  if (event.type === 'runEnded') return (isEnd && next !== 'compactionStarted') || next === 'uiRequested';
  if (event.type === 'compactionEnded') return isEnd && !event.willRetry;
  return event.type === 'retryEnded' && isEnd;
}
