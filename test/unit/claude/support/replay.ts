// Replays recordings of claude (test/goldens/claude) through the translator, as the driver of a real claude would.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { applyEvent, type ItemsById, type TurnEvent, type TurnOutcome } from '@heddle/bridge-kit';
import type { ThreadItem } from '@heddle/wire';
import { decodeMessage, type NativeMessage } from '../../../../packages/bridges/src/claude/native.ts';
import { newTranslator, proposedFiles, step, type Note, type Translator } from '../../../../packages/bridges/src/claude/translate.ts';

type Json = Record<string, unknown>;

export interface ReplayedTurn {
  events: TurnEvent[];
  items: ThreadItem[];
  /** Items of sub-agents, by their thread. */
  agents: Record<string, ThreadItem[]>;
  /** `undefined`: the recording stops before. */
  outcome: TurnOutcome | undefined;
}

export interface Replay {
  turns: ReplayedTurn[];
  unknownKinds: string[];
}

export function readRecording(url: URL): { dir: string; data: unknown }[] {
  return readFileSync(url, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { dir: string; data: unknown });
}

/** @param options.filesAreSeen whether files that are about to be changed are read first; what was in them is in claude's later words */
export function replay(
  recording: readonly { dir: string; data: unknown }[],
  options: { threadId: string; cwd: string; filesAreSeen: boolean },
): Replay {
  const { threadId, cwd } = options;
  const files = filesBefore(recording, cwd);
  const result: Replay = { turns: [], unknownKinds: [] };
  let translator: Translator = newTranslator({ threadId, cwd });
  let turn = new RunningReplay();
  let isInTurn = false;
  const feed = (input: NativeMessage | Note) => {
    const { state, out, ended } = step(translator, input);
    translator = state;
    turn.take(out);
    if (ended === undefined) return;
    endTurn(ended);
  };
  const endTurn = (outcome: TurnOutcome | undefined) => {
    isInTurn = false;
    result.turns.push(turn.end(outcome));
    turn = new RunningReplay();
  };
  for (const { dir, data } of recording) {
    if (dir === 'exit' && turn.hasBegun) endTurn(undefined); // it was killed in the middle
    if (typeof data !== 'object' || data === null) continue;
    if (dir === 'out' && (data as Json)['subtype'] === 'init') isInTurn = true;
    // A driver hears nothing between turns.
    if (!isInTurn && (data as Json)['type'] !== 'result') continue;
    for (const note of notesOf(dir, data as Json)) feed(note);
    if (dir !== 'out') continue;
    const message = decodeMessage(data);
    if (message.type === 'unknown') result.unknownKinds.push(message.kind);
    for (const path of options.filesAreSeen ? proposedFiles(message, cwd) : []) {
      const texts = files.get(path);
      if (texts !== undefined && texts.length > 0) feed({ type: 'fileSeen', path, text: texts.shift() ?? null });
    }
    feed(message);
  }
  if (turn.hasBegun) result.turns.push(turn.end(undefined));
  return result;
}

class RunningReplay {
  readonly #events: TurnEvent[] = [];
  readonly #items: ItemsById = new Map();
  readonly #agents = new Map<string, ItemsById>();

  get hasBegun(): boolean {
    return this.#events.length > 0;
  }

  take(events: readonly TurnEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      applyEvent(this.#items, event);
      if (event.type === 'subAgentStarted') this.#agents.set(event.agentThreadId, new Map());
      if (event.type === 'subAgentEvent') applyEvent(this.#agents.get(event.agentThreadId) as ItemsById, event.event);
    }
  }

  end(outcome: TurnOutcome | undefined): ReplayedTurn {
    const agents = Object.fromEntries([...this.#agents].map(([id, items]) => [id, [...items.values()]]));
    return { events: this.#events, items: [...this.#items.values()], agents, outcome };
  }
}

/** What the client had to do with approvals. */
function notesOf(dir: string, data: Json): Note[] {
  if (dir === 'out' && data['type'] === 'control_request') {
    const request = data['request'] as Json;
    if (request['subtype'] !== 'can_use_tool') return [];
    const { tool_use_id: toolUseId, tool_name: toolName, input, agent_id: agentId } = request as Record<string, string>;
    asked.set(String(data['request_id']), String(toolUseId));
    return [
      { type: 'permissionAsked', toolUseId: String(toolUseId), toolName: String(toolName), input: input as unknown as Json, agentId },
    ];
  }
  if (dir !== 'in' || data['type'] !== 'control_response') return [];
  const { request_id: id, response } = data['response'] as { request_id: string; response?: { behavior?: string } };
  const toolUseId = asked.get(id);
  return toolUseId === undefined || response?.behavior !== 'allow' ? [] : [{ type: 'permissionAnswered', toolUseId }];
}
const asked = new Map<string, string>();

function filesBefore(recording: readonly { dir: string; data: unknown }[], cwd: string): Map<string, (string | null)[]> {
  const files = new Map<string, (string | null)[]>();
  for (const { dir, data } of recording) {
    const result =
      dir === 'out' && typeof data === 'object' && data !== null ? ((data as Json)['tool_use_result'] as Json | undefined) : undefined;
    if (typeof result !== 'object' || result === null || typeof result['filePath'] !== 'string' || !('originalFile' in result)) continue;
    const path = resolve(cwd, result['filePath']);
    files.set(path, [...(files.get(path) ?? []), result['originalFile'] as string | null]);
  }
  return files;
}
