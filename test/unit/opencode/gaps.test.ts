// Whatever is missed of opencode's events, and whatever is told twice: nothing is missing in the end, and nothing is there
// twice. Every recording is cut everywhere; what its store would have said is read again, as after a real gap.

import { readdirSync } from 'node:fs';
import type { TurnEvent } from '@heddle/bridge-kit';
import type { ThreadItem } from '@heddle/wire';
import { describe, expect, it } from 'vitest';
import { eventsAfterGap } from '../../../packages/bridges/src/opencode/history/after-gap.ts';
import { historyOf } from '../../../packages/bridges/src/opencode/history/stored-turns.ts';
import type { StoredMessage } from '../../../packages/bridges/src/opencode/history/turns-of-session.ts';
import type { NativeEvent } from '../../../packages/bridges/src/opencode/native.ts';
import type { Note, Translator } from '../../../packages/bridges/src/opencode/translate.ts';
import { readRecording, type ReplayedTurn, replayInputs, replayTurns, storeAfter, storedIn } from './support/replay.ts';

const folder = new URL('../../goldens/opencode/', import.meta.url);
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.jsonl') ? [file.slice(0, -'.jsonl'.length)] : []));
type Inputs = (NativeEvent | Note)[];

function wholeTurns(name: string): { sessionId: string; turn: ReplayedTurn }[] {
  const recording = readRecording(name);
  const turns = recording.sessions.flatMap((sessionId) => replayTurns(recording, sessionId).map((turn) => ({ sessionId, turn })));
  return turns.filter(({ turn }) => turn.outcome !== undefined);
}

/** What is read again after a gap, of the store and the state that opencode had at its end. */
function afterGap(known: Translator, missed: Inputs): Inputs {
  const { sessionId } = known;
  const sessions = new Map(missed.flatMap((input) => (input.type === 'session' ? [[input.sessionId, input.session] as const] : [])));
  const children = [...sessions.values()].filter(({ parentId }) => parentId === sessionId);
  const rest = missed.findLast((input) => (input.type === 'status' || input.type === 'idle') && input.sessionId === sessionId);
  return eventsAfterGap(known, {
    first: storeAfter(missed, sessionId)[0]?.message.id,
    messages: storeAfter(missed, sessionId),
    children: children.map((session) => ({ session, messages: storeAfter(missed, session.id) })),
    permissions: [],
    questions: [],
    status: rest?.type === 'status' ? rest.status : { type: rest === undefined ? 'busy' : 'idle' },
  });
}

/** Everything that clients would have of each text: what streamed, or what came with the end. */
function textsOf(events: readonly TurnEvent[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const event of events) {
    const inner = event.type === 'subAgentEvent' ? event.event : event;
    if (inner.type === 'textDelta' || inner.type === 'reasoningDelta') texts[inner.itemId] = (texts[inner.itemId] ?? '') + inner.delta;
  }
  return texts;
}

/** A text with a hole is shown when it is whole, perhaps behind what came after it; files were not looked at here. */
const contentOf = (items: readonly ThreadItem[]) =>
  items.map((item) => ({ ...item, changes: undefined })).toSorted((left, right) => (left.id < right.id ? -1 : 1));

/** Of an answer that broke off and was asked for again the store has no words. */
function isLostToStore(item: ThreadItem, store: readonly StoredMessage[]): boolean {
  const part = store.flatMap(({ parts }) => parts).find(({ id }) => id === item.id);
  return part?.type === 'text' && !part.isWhole;
}

const startsOf = (events: readonly TurnEvent[]) =>
  events.flatMap((event) => {
    const inner = event.type === 'subAgentEvent' ? event.event : event;
    return inner.type === 'itemStarted' ? [inner.item.id] : [];
  });

describe.each(names)('%s', (name) => {
  it('told twice makes nothing twice', () => {
    for (const { sessionId, turn } of wholeTurns(name)) {
      const twice = turn.inputs.flatMap((input): Inputs => (input.type === 'message' || input.type === 'part' ? [input, input] : [input]));
      const again = replayInputs(sessionId, twice);
      expect(again.events).toEqual(turn.events);
      expect(again.outcome).toEqual(turn.outcome);
    }
  });

  it('cut off from any event to any other has everything in the end, and nothing twice', () => {
    for (const { sessionId, turn } of wholeTurns(name)) {
      const { inputs } = turn;
      const step = Math.max(1, Math.floor(inputs.length / 25));
      for (let from = 2; from < inputs.length; from += step) {
        for (let to = from; to < inputs.length; to += step) {
          const heard: Inputs = [...inputs.slice(0, from), { type: 'gap' }];
          const known = replayInputs(sessionId, heard).state;
          const again = replayInputs(sessionId, [...heard, ...afterGap(known, inputs.slice(0, to)), ...inputs.slice(to)]);
          const where = `cut from ${from} to ${to}`;
          expect(again.outcome, where).toEqual(turn.outcome);
          const lasting = turn.items.filter((item) => !isLostToStore(item, storeAfter(inputs, sessionId)));
          const lastingAgain = again.items.filter((item) => !isLostToStore(item, storeAfter(inputs, sessionId)));
          expect(contentOf(lastingAgain), where).toEqual(contentOf(lasting));
          expect(startsOf(again.events).length, where).toBe(new Set(startsOf(again.events)).size);
          for (const item of turn.items)
            if (item.type === 'agentMessage') expect(item.text.startsWith(textsOf(again.events)[item.id] ?? ''), where).toBe(true);
        }
      }
    }
  });

  it('is read back as it was seen live', () => {
    const recording = readRecording(name);
    for (const session of recording.events.flatMap(({ native }) =>
      native.type === 'session' && native.change === 'created' ? [native.session] : [],
    )) {
      const stored = storedIn(name, session.id);
      if (stored === undefined || session.parentId !== undefined) continue;
      const history = historyOf(stored, { session, mcpServers: [], liveTurnIds: new Map() });
      const live = replayTurns(recording, session.id).filter(({ outcome }) => outcome !== undefined);
      for (const [index, turn] of history.turns.entries()) {
        const seen = live[index];
        if (seen === undefined) break;
        expect(turn.items.map(({ type, id }) => [type, id])).toEqual(seen.items.map(({ type, id }) => [type, id]));
        expect(turn.status).toBe(seen.outcome?.status);
      }
    }
  });
});
