// Owns turns as they are read back: a turn's messages go through the translator that live events go through.

import {
  applyEvent,
  closeItems,
  type ItemsById,
  type StoredHistory,
  type StoredTurn,
  type ThreadUsage,
  usageAfter,
} from '@heddle/bridge-kit';
import type { UserInput } from '@heddle/wire';
import { compactionId, newTranslator, outcomeOf, showWhole, step, type Translator, userInputOf } from '../translate.ts';
import type { StoredPart, TurnEntries } from './turn-entries.ts';

export function historyOf(turns: readonly TurnEntries[], cwd: string): StoredHistory {
  let translator = newTranslator({ cwd, isReplay: true });
  let usage: ThreadUsage | undefined;
  const stored = turns.map((turn) => {
    const items: ItemsById = new Map();
    translator = step(translator, { type: 'turnBegan' }).state;
    for (const part of turn.parts) {
      const { state, out } = read(translator, part);
      translator = state;
      for (const event of out) {
        applyEvent(items, event);
        if (event.type === 'responseEnded') usage = usageAfter(usage, turn.id, event);
      }
    }
    closeItems(items);
    return storedTurn(turn, translator, items);
  });
  return { turns: stored, usage };
}

function read(translator: Translator, part: StoredPart): ReturnType<typeof step> {
  switch (part.type) {
    case 'said': {
      const content = contentOf(part);
      return { state: translator, out: showWhole({ type: 'userMessage', id: `${part.messageId}-user`, clientId: null, content }) };
    }
    case 'compaction':
      return { state: translator, out: showWhole({ type: 'contextCompaction', id: compactionId(part) }) };
    case 'message':
      if (part.message.role === 'toolResult') return step(translator, { type: 'toolEnded', result: part.message });
      return step(translator, { type: 'messageEnded', message: part.message });
  }
}

function contentOf({ message, saidText }: Extract<StoredPart, { type: 'said' }>): UserInput[] {
  const content = userInputOf(message.blocks);
  if (saidText === undefined) return content;
  return [{ type: 'text', text: saidText }, ...content.filter(({ type }) => type !== 'text')];
}

/** A session has no end of a turn: the last answer tells. A turn that just stops was cut off. */
function storedTurn({ id, entries, parts }: TurnEntries, translator: Translator, items: ItemsById): StoredTurn {
  const times = entries.map(({ timeMs }) => timeMs).filter((time) => time > 0);
  const [startedAtMs = 0] = times;
  const completedAtMs = times.reduce((latest, time) => Math.max(latest, time), startedAtMs);
  const isCut = translator.end === undefined ? !parts.some(({ type }) => type === 'compaction') : translator.end.kind === 'calling';
  const outcome = isCut ? { status: 'interrupted' as const } : outcomeOf(translator);
  const error = outcome.status === 'failed' ? outcome.error : null;
  return { id, items: [...items.values()], status: outcome.status, error, startedAtMs, completedAtMs };
}
