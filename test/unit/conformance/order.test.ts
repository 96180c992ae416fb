// The ordering rules hold for recordings of the real codex, and notice when such a recording is spoiled.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codexOrderExceptions } from '../../conformance/codex-exceptions.ts';
import { checkOrder, describeViolation, type OrderException, type RuleId, ruleIds } from '../../conformance/order.ts';
import { type Entry, type MessageEntry, readTranscript } from '../../conformance/recording.ts';

const folder = new URL('../../goldens/codex/', import.meta.url);
const golden = (name: string): Entry[] => readTranscript(readFileSync(new URL(`${name}.jsonl`, folder), 'utf8'));
const goldenNames = readdirSync(folder)
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.replace('.jsonl', ''));

describe('recordings of the real codex', () => {
  it('are there', () => expect(goldenNames).toHaveLength(9));
  it.each(goldenNames)('%s keeps the rules', (name) => {
    expect(checkOrder(golden(name), codexOrderExceptions).map(describeViolation)).toEqual([]);
  });
  it('need the exceptions only where codex is known for them', () => {
    const needed = goldenNames.flatMap((name) => checkOrder(golden(name), []).map(({ rule }) => `${name} ${rule}`));
    expect(needed).toEqual(['05a-interrupt-text R13', '05c-interrupt-pending-approval R13', '23-multi-client R5', '23-multi-client R17']);
  });
});

/** A place in a recording: the nth message with this method, or the nth answer to it. */
interface Place {
  method: string;
  nth?: number;
  isAnswer?: true;
}

function find(entries: Entry[], { method, nth = 0, isAnswer }: Place): MessageEntry {
  const messages = entries.filter((entry) => entry.kind === 'message');
  const asked = new Set(messages.filter((entry) => entry.message['method'] === method).map((entry) => entry.message['id']));
  const found = messages.filter(({ message, direction }) =>
    isAnswer ? direction === 'toClient' && message['method'] === undefined && asked.has(message['id']) : message['method'] === method,
  )[nth];
  if (found === undefined) throw new Error(`the recording has no ${method} number ${nth}`);
  return found;
}

const drop = (entries: Entry[], place: Place) => entries.filter((entry) => entry !== find(entries, place));

function duplicate(entries: Entry[], place: Place): Entry[] {
  const found = find(entries, place);
  return entries.flatMap((entry) => (entry === found ? [entry, structuredClone(entry)] : [entry]));
}

/** Moves the message to just before or behind another one. */
function move(entries: Entry[], place: Place, to: { before: Place } | { behind: Place }): Entry[] {
  const found = find(entries, place);
  const target = find(entries, 'before' in to ? to.before : to.behind);
  const rest = entries.filter((entry) => entry !== found);
  rest.splice(rest.indexOf(target) + ('before' in to ? 0 : 1), 0, found);
  return rest.map((entry, index) => ({ ...entry, seq: index + 1 }));
}

function change(entries: Entry[], place: Place, edit: (message: Record<string, unknown>) => void): Entry[] {
  const found = find(entries, place);
  const copy = structuredClone(found);
  edit(copy.message);
  return entries.map((entry) => (entry === found ? copy : entry));
}

const params = (message: Record<string, unknown>) => message['params'] as Record<string, Record<string, unknown>>;

const text = golden('02-text-turn');
const command = golden('03b-exec-untrusted-accept');
const fileChange = golden('04b-file-change-accept');
const [turnStarted, turnCompleted] = [{ method: 'turn/started' }, { method: 'turn/completed' }];
const [itemStarted, itemCompleted] = [{ method: 'item/started' }, { method: 'item/completed' }];
const delta = { method: 'item/agentMessage/delta' };
const status = { method: 'thread/status/changed' };
const approval = { method: 'item/commandExecution/requestApproval' };
const resolved = { method: 'serverRequest/resolved' };

/** Each spoiled recording with the rules that object, in order. */
const spoiled: Record<string, { entries: Entry[]; rules: RuleId[] }> = {
  'turn/started before the answer': {
    entries: move(text, turnStarted, { before: { method: 'turn/start', isAnswer: true } }),
    rules: ['R1', 'R2'],
  },
  'an answer with a finished turn': {
    entries: change(text, { method: 'turn/start', isAnswer: true }, (message) => {
      message['result'] = { turn: { ...(message['result'] as { turn: object }).turn, status: 'completed' } };
    }),
    rules: ['R1'],
  },
  'no active status': { entries: drop(text, status), rules: ['R2'] },
  'active status behind turn/started': { entries: move(text, status, { behind: turnStarted }), rules: ['R2'] },
  'an item before turn/started': { entries: move(text, turnStarted, { behind: itemStarted }), rules: ['R3'] },
  'an item that starts twice': { entries: duplicate(text, itemStarted), rules: ['R3'] },
  'no turn/started': { entries: drop(text, turnStarted), rules: ['R3', 'R3'] },
  'a delta before item/started': { entries: move(text, delta, { before: { ...itemStarted, nth: 1 } }), rules: ['R4'] },
  'a delta behind item/completed': { entries: move(text, { ...delta, nth: 4 }, { behind: { ...itemCompleted, nth: 1 } }), rules: ['R4'] },
  'item/completed without item/started': { entries: drop(text, itemStarted), rules: ['R5'] },
  'item/completed behind turn/completed': { entries: move(text, { ...itemCompleted, nth: 1 }, { behind: turnCompleted }), rules: ['R5'] },
  'an item that completes twice': { entries: duplicate(text, itemCompleted), rules: ['R5'] },
  'a lost delta': { entries: drop(text, { ...delta, nth: 2 }), rules: ['R6'] },
  'a doubled delta': { entries: duplicate(text, { ...delta, nth: 2 }), rules: ['R6'] },
  'two deltas in the wrong order': { entries: move(text, { ...delta, nth: 2 }, { before: { ...delta, nth: 1 } }), rules: ['R6'] },
  'a turn that completes twice': { entries: duplicate(text, turnCompleted), rules: ['R7'] },
  'a turn that starts twice': { entries: duplicate(text, turnStarted), rules: ['R7'] },
  'turn/completed before the idle status': { entries: move(text, turnCompleted, { before: { ...status, nth: 1 } }), rules: ['R8'] },
  'no token usage': { entries: drop(text, { method: 'thread/tokenUsage/updated' }), rules: ['R9'] },
  'turn/completed with a user message': {
    entries: change(text, turnCompleted, (message) => {
      params(message)['turn'] = { ...params(message)['turn'], items: [{ type: 'userMessage', id: 'x', content: [] }] };
    }),
    rules: ['R10'],
  },
  'an interrupted turn with items': {
    entries: change(text, turnCompleted, (message) => {
      params(message)['turn'] = { ...params(message)['turn'], status: 'interrupted' };
    }),
    rules: ['R10'],
  },
  'a notification without its time': { entries: change(text, delta, (message) => delete message['emittedAtMs']), rules: ['R11'] },
  'a request with a time': {
    entries: change(command, approval, (message) => {
      message['emittedAtMs'] = 1;
    }),
    rules: ['R11'],
  },
  'a jsonrpc member': {
    entries: change(text, delta, (message) => {
      message['jsonrpc'] = '2.0';
    }),
    rules: ['R12'],
  },
  'an item that never completes': { entries: drop(fileChange, { ...itemCompleted, nth: 1 }), rules: ['R13'] },
  'a turn that never completes': { entries: drop(text, turnCompleted), rules: ['R14'] },
  'a question that is never resolved': { entries: drop(command, resolved), rules: ['R15', 'R18'] },
  'thread/started before the answer': {
    entries: move(text, { method: 'thread/started' }, { before: { method: 'thread/start', isAnswer: true } }),
    rules: ['R16'],
  },
  'a question about an item that comes later': { entries: move(command, approval, { before: { ...itemStarted, nth: 1 } }), rules: ['R17'] },
  'a question of a thread that does not wait': { entries: drop(command, { ...status, nth: 1 }), rules: ['R17'] },
  'a question that outlives its item': { entries: move(command, resolved, { behind: { ...itemCompleted, nth: 1 } }), rules: ['R18'] },
};

describe('a spoiled recording', () => {
  it.each(Object.entries(spoiled))('%s is noticed', (_, { entries, rules }) => {
    expect(checkOrder(entries, []).map(({ rule }) => rule)).toEqual(rules);
  });

  it('there is one for every rule', () => {
    const caught = new Set(Object.values(spoiled).flatMap(({ rules }) => rules));
    expect(ruleIds.filter((rule) => !caught.has(rule))).toEqual([]);
  });

  it('is described with the rule, the message and the connection', () => {
    const [violation] = checkOrder(duplicate(text, turnCompleted), []);
    expect(violation && describeViolation(violation)).toMatch(
      /^R7 \(a turn starts once and completes once\): message \d+ to A: turn \S+ completes again$/,
    );
  });
});

describe('what is owed', () => {
  it('ends with the connection', () => {
    const cut = drop(text, turnCompleted);
    expect(checkOrder([...cut, { seq: 999, connection: 'A', kind: 'closed', why: 'gone' }], [])).toEqual([]);
  });

  it('is excused by an exception for its rule and no other', () => {
    const entries = drop(text, turnCompleted);
    const exception = (rule: RuleId): OrderException => ({ rule, reason: 'a test', applies: () => true });
    expect(checkOrder(entries, [exception('R14')])).toEqual([]);
    expect(checkOrder(entries, [exception('R13')])).toHaveLength(1);
  });

  it('is judged for each connection on its own', () => {
    const shared = golden('23-multi-client');
    const spoiledForB = shared.filter(
      (entry) => !(entry.connection === 'B' && entry.kind === 'message' && entry.message['method'] === 'serverRequest/resolved'),
    );
    expect(checkOrder(spoiledForB, codexOrderExceptions).map(({ rule, connection }) => `${connection} ${rule}`)).toEqual(['B R18']);
  });
});

describe('a client that joins a running turn', () => {
  const joinRunning = (items: unknown[]): Entry[] => {
    const turn = { id: 'turn', status: 'inProgress', items };
    const messages: [MessageEntry['direction'], Record<string, unknown>][] = [
      ['toServer', { id: 1, method: 'thread/resume', params: { threadId: 'thread' } }],
      ['toClient', { id: 1, result: { thread: { id: 'thread', status: { type: 'active', activeFlags: [] }, turns: [turn] } } }],
      ['toClient', note('item/agentMessage/delta', { itemId: 'item', delta: 'world' })],
      ['toClient', note('item/completed', { item: { type: 'agentMessage', id: 'item', text: 'Hello world' } })],
      ['toClient', note('thread/status/changed', { status: { type: 'idle' } })],
      ['toClient', note('turn/completed', { turn: { id: 'turn', status: 'completed', items: [] } })],
    ];
    return messages.map(([direction, message], index) => ({ seq: index + 1, connection: 'B', kind: 'message', direction, message }));
  };
  const note = (method: string, more: object) => ({ method, params: { threadId: 'thread', turnId: 'turn', ...more }, emittedAtMs: 1 });

  it('is shown the open item, and the rest continues it', () => {
    expect(checkOrder(joinRunning([{ type: 'agentMessage', id: 'item', text: 'Hello ' }]), [])).toEqual([]);
  });
  it('notices a gap between what it was shown and what follows', () => {
    expect(checkOrder(joinRunning([{ type: 'agentMessage', id: 'item', text: 'Hel' }]), []).map(({ rule }) => rule)).toEqual(['R6']);
  });
  it('notices an item that it was not shown, which codex is excused from', () => {
    expect(checkOrder(joinRunning([]), []).map(({ rule }) => rule)).toEqual(['R4', 'R5']);
    expect(checkOrder(joinRunning([]), codexOrderExceptions)).toEqual([]);
  });
});
