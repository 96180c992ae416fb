// Owns how a recording of opencode goes through the translator: as turns that somebody else has begun, since the driver
// of the recordings said nothing through heddle; and how its store looks at any moment of it.

import { readFileSync } from 'node:fs';
import { applyEvent, type ItemsById, type TurnEvent, type TurnOutcome } from '@heddle/bridge-kit';
import type { ThreadItem } from '@heddle/wire';
import { readStoredMessages } from '../../../../packages/bridges/src/opencode/history/stored-turns.ts';
import type { StoredMessage } from '../../../../packages/bridges/src/opencode/history/turns-of-session.ts';
import { decodeEvent, type NativeEvent } from '../../../../packages/bridges/src/opencode/native.ts';
import { filesOf, newTranslator, type Note, step, type Translator } from '../../../../packages/bridges/src/opencode/translate.ts';

type Json = Record<string, unknown>;

export interface Recording {
  /** In their order, with the raw JSON of each. */
  events: { native: NativeEvent; raw: Json }[];
  /** Sessions without a parent, in their order. */
  sessions: string[];
}

export interface ReplayedTurn {
  events: TurnEvent[];
  items: ThreadItem[];
  agents: Record<string, ThreadItem[]>;
  outcome: TurnOutcome | undefined;
  /** What went into it. */
  inputs: (NativeEvent | Note)[];
  state: Translator;
}

export function readRecording(name: string): Recording {
  const file = new URL(`../../../goldens/opencode/${name}.jsonl`, import.meta.url);
  const lines = readFileSync(file, 'utf8').split('\n');
  const events = lines.flatMap((line) => {
    if (line === '') return [];
    const { dir, data } = JSON.parse(line) as { dir: string; data: Json };
    return dir === 'sse' ? [{ native: decodeEvent({ payload: data }), raw: data }] : [];
  });
  const created = events.flatMap(({ native }) => (native.type === 'session' && native.change === 'created' ? [native.session] : []));
  return { events, sessions: created.filter(({ parentId }) => parentId === undefined).map(({ id }) => id) };
}

/** The turns of a session. @param files what lies on the disk before the first */
export function replayTurns({ events }: Recording, sessionId: string, files: ReadonlyMap<string, string> = new Map()): ReplayedTurn[] {
  const disk = new Map(files);
  const turns: ReplayedTurn[] = [];
  let turn: RunningReplay | undefined;
  const known = new Set<string>();
  for (const { native } of events) {
    const isUsers = native.type === 'message' && native.sessionId === sessionId && native.message.role === 'user';
    if (isUsers && turn === undefined && !known.has(native.message.id)) turn = new RunningReplay(sessionId);
    if (isUsers) known.add(native.message.id);
    if (turn === undefined) continue;
    noteWritten(disk, native);
    if (native.type === 'part')
      for (const path of filesOf(native.part, '/CWD')) turn.take({ type: 'fileSeen', path, text: disk.get(path) ?? null });
    turn.take(native);
    if (!turn.isOver) continue;
    turns.push(turn.end());
    turn = undefined;
  }
  if (turn !== undefined) turns.push(turn.end());
  return turns;
}

/** The same inputs once more, perhaps not all of them, or some twice. */
export function replayInputs(sessionId: string, inputs: readonly (NativeEvent | Note)[]): ReplayedTurn {
  const turn = new RunningReplay(sessionId);
  for (const input of inputs) turn.take(input);
  return turn.end();
}

/** What the store of a session has after these events: of a text that streams, its beginning only (1.18.33, measured). */
export function storeAfter(inputs: readonly (NativeEvent | Note)[], sessionId: string): StoredMessage[] {
  const messages = new Map<string, StoredMessage>();
  for (const input of inputs) {
    if (input.type === 'message' && input.sessionId === sessionId) {
      messages.set(input.message.id, { message: input.message, parts: messages.get(input.message.id)?.parts ?? [] });
    }
    if (input.type !== 'part' || input.sessionId !== sessionId) continue;
    const { part } = input;
    const parts = messages.get(part.messageId)?.parts;
    const at = parts?.findIndex(({ id }) => id === part.id) ?? -1;
    if (at < 0) parts?.push(part);
    else parts?.splice(at, 1, part);
  }
  return [...messages.values()];
}

/** What `GET /session/ID/message` answered last in a recording. */
export function storedIn(name: string, sessionId: string): StoredMessage[] | undefined {
  const file = new URL(`../../../goldens/opencode/${name}.jsonl`, import.meta.url);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const answers = lines.flatMap((line) => {
    const { dir, data } = JSON.parse(line) as { dir: string; data: { path?: string; body?: unknown } };
    const isList = dir === 'http<' && data.path === `/session/${sessionId}/message` && Array.isArray(data.body);
    return isList ? [readStoredMessages(data.body)] : [];
  });
  return answers.at(-1);
}

class RunningReplay {
  #state: Translator;
  readonly #events: TurnEvent[] = [];
  readonly #items: ItemsById = new Map();
  readonly #agents = new Map<string, ItemsById>();
  readonly #inputs: (NativeEvent | Note)[] = [];
  #outcome: TurnOutcome | undefined;

  constructor(sessionId: string) {
    this.#state = newTranslator({ sessionId, cwd: '/CWD', contextWindows: new Map([['fake/fake-1', 128_000]]) });
    this.take({ type: 'begun' });
  }

  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  take(input: NativeEvent | Note): void {
    if (this.isOver) return;
    if (input.type !== 'begun' || this.#inputs.length === 0) this.#inputs.push(input);
    const { state, out, ended } = step(this.#state, input);
    this.#state = state;
    this.#outcome = ended;
    for (const event of out) {
      this.#events.push(event);
      applyEvent(this.#items, event);
      if (event.type === 'subAgentStarted') this.#agents.set(event.agentThreadId, new Map());
      if (event.type === 'subAgentEvent') applyEvent(this.#agents.get(event.agentThreadId) as ItemsById, event.event);
    }
  }

  end(): ReplayedTurn {
    const agents = Object.fromEntries([...this.#agents].map(([id, items]) => [id, [...items.values()]]));
    return {
      events: this.#events,
      items: [...this.#items.values()],
      agents,
      outcome: this.#outcome,
      inputs: this.#inputs,
      state: this.#state,
    };
  }
}

function noteWritten(disk: Map<string, string>, event: NativeEvent): void {
  if (event.type !== 'part' || event.part.type !== 'tool' || event.part.state.status !== 'completed') return;
  const { tool, state } = event.part;
  const [path] = filesOf(event.part, '/CWD');
  const { content, oldString, newString } = state.input as Record<string, string>;
  if (path === undefined) return;
  if (tool === 'write' && content !== undefined) disk.set(path, content);
  if (tool === 'edit' && oldString !== undefined) disk.set(path, (disk.get(path) ?? '').replace(oldString, newString ?? ''));
}
