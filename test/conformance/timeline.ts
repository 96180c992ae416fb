// Owns how one connection's messages are read as a story: which turns, items, questions and status changes there
// were, and when. It draws no conclusion; the rules in order.ts do.

import type { Entry, Message, MessageEntry } from './recording.ts';

export interface TurnTrack {
  id: string;
  threadId: string;
  /** Sequence numbers. A turn that was already running when the connection joined its thread has `joinedAt`. */
  startedAt: number[];
  joinedAt: number | undefined;
  completed: { at: number; turn: Message }[];
  /** Answers to turn/start that name this turn. */
  answers: { askedAt: number; at: number; turn: Message }[];
  tokenUsageAt: number[];
  items: ItemTrack[];
  /** The connection unsubscribed: it is owed nothing more. */
  releasedAt: number | undefined;
}
export interface ItemTrack {
  id: string;
  type: string;
  turn: TurnTrack;
  startedAt: number[];
  /** The item as a joining connection was shown it; what follows continues it. */
  joined: Message | undefined;
  deltas: { at: number; method: string; params: Message }[];
  completed: { at: number; item: Message }[];
}
export interface QuestionTrack {
  id: unknown;
  method: string;
  params: Message;
  at: number;
  resolvedAt: number | undefined;
}
export interface Timeline {
  connection: string;
  messages: MessageEntry[];
  /** False when the connection was closed before the recording ended: then nothing more was owed to it. */
  isOpen: boolean;
  turns: TurnTrack[];
  items: ItemTrack[];
  questions: QuestionTrack[];
  statuses: { at: number; threadId: string; status: Message }[];
  threadsStarted: { at: number; threadId: string }[];
  threadStartAnswers: { at: number; threadId: string }[];
}

/** One timeline for each connection of a recording. */
export function timelinesOf(entries: readonly Entry[]): Timeline[] {
  const names = [...new Set(entries.map((entry) => entry.connection))];
  return names.map((name) => new TimelineReader(name).read(entries.filter((entry) => entry.connection === name)));
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const record = (value: unknown): Message => (typeof value === 'object' && value !== null ? (value as Message) : {});
const list = (value: unknown): Message[] => (Array.isArray(value) ? (value as Message[]) : []);

const isDelta = (method: string) => /^item\/.*(?:[dD]elta|PartAdded)$/.test(method);

class TimelineReader {
  readonly #timeline: Timeline;
  readonly #turns = new Map<string, TurnTrack>();
  readonly #items = new Map<string, ItemTrack>();
  readonly #asked = new Map<unknown, { method: string; params: Message; at: number }>();
  /** Threads that were running when this connection resumed them, so that their turn needs no turn/started. */
  readonly #joinedThreads = new Set<string>();

  constructor(connection: string) {
    this.#timeline = {
      connection,
      messages: [],
      isOpen: true,
      turns: [],
      items: [],
      questions: [],
      statuses: [],
      threadsStarted: [],
      threadStartAnswers: [],
    };
  }

  read(entries: readonly Entry[]): Timeline {
    for (const entry of entries) {
      if (entry.kind === 'closed') {
        this.#timeline.isOpen = false;
        continue;
      }
      this.#timeline.messages.push(entry);
      const { seq, direction, message } = entry;
      const method = text(message['method']);
      if (direction === 'toServer') {
        if (method !== '' && 'id' in message) this.#asked.set(message['id'], { method, params: record(message['params']), at: seq });
      } else if (method === '') this.#readAnswer(seq, message);
      else if ('id' in message) this.#readQuestion(seq, method, message);
      else this.#readNotification(seq, method, record(message['params']));
    }
    return this.#timeline;
  }

  #readAnswer(at: number, message: Message): void {
    const asked = this.#asked.get(message['id']);
    if (asked === undefined || !('result' in message)) return;
    const result = record(message['result']);
    const thread = record(result['thread']);
    const threadId = text(thread['id']) || text(asked.params['threadId']);
    if (asked.method === 'turn/start') {
      const turn = record(result['turn']);
      this.#turn(threadId, text(turn['id'])).answers.push({ askedAt: asked.at, at, turn });
    }
    if (asked.method === 'thread/start') this.#timeline.threadStartAnswers.push({ at, threadId });
    if (asked.method === 'thread/resume' && record(thread['status'])['type'] === 'active') this.#joinedThreads.add(threadId);
    if (asked.method === 'thread/resume') this.#join(at, threadId, list(thread['turns']));
    if (asked.method === 'thread/turns/list' && this.#joinedThreads.has(threadId)) this.#join(at, threadId, list(result['data']));
    if (asked.method === 'thread/unsubscribe') {
      for (const turn of this.#timeline.turns) if (turn.threadId === threadId) turn.releasedAt ??= at;
    }
  }

  /** A running turn in an answer shows the connection what was before its time. */
  #join(at: number, threadId: string, turns: Message[]): void {
    for (const shown of turns.filter((each) => each['status'] === 'inProgress')) {
      const turn = this.#turn(threadId, text(shown['id']));
      if (turn.startedAt.length > 0) continue;
      turn.joinedAt ??= at;
      for (const item of list(shown['items'])) this.#item(turn, text(item['id']), text(item['type'])).joined ??= item;
    }
  }

  #readQuestion(at: number, method: string, message: Message): void {
    this.#timeline.questions.push({ id: message['id'], method, params: record(message['params']), at, resolvedAt: undefined });
  }

  #readNotification(at: number, method: string, params: Message): void {
    const threadId = text(params['threadId']);
    if (method === 'thread/status/changed') this.#timeline.statuses.push({ at, threadId, status: record(params['status']) });
    else if (method === 'thread/started') this.#timeline.threadsStarted.push({ at, threadId: text(record(params['thread'])['id']) });
    else if (method === 'turn/started') this.#turn(threadId, text(record(params['turn'])['id'])).startedAt.push(at);
    else if (method === 'turn/completed') {
      const turn = record(params['turn']);
      this.#turn(threadId, text(turn['id']), at).completed.push({ at, turn });
    } else if (method === 'thread/tokenUsage/updated') this.#turn(threadId, text(params['turnId'])).tokenUsageAt.push(at);
    else if (method === 'serverRequest/resolved') {
      const open = this.#timeline.questions.find((each) => each.id === params['requestId'] && each.resolvedAt === undefined);
      if (open !== undefined) open.resolvedAt = at;
    } else if (method === 'item/started' || method === 'item/completed' || isDelta(method)) this.#readItem(at, method, params);
  }

  #readItem(at: number, method: string, params: Message): void {
    const item = record(params['item']);
    const turn = this.#turn(text(params['threadId']), text(params['turnId']), at);
    const track = this.#item(turn, text(item['id']) || text(params['itemId']), text(item['type']));
    if (method === 'item/started') track.startedAt.push(at);
    else if (method === 'item/completed') track.completed.push({ at, item });
    else track.deltas.push({ at, method, params });
  }

  /** `at` is given where the turn's life shows: on a joined thread that is how a running turn becomes known. */
  #turn(threadId: string, id: string, at?: number): TurnTrack {
    let turn = this.#turns.get(id);
    if (turn === undefined) {
      turn = {
        id,
        threadId,
        startedAt: [],
        joinedAt: undefined,
        completed: [],
        answers: [],
        tokenUsageAt: [],
        items: [],
        releasedAt: undefined,
      };
      this.#turns.set(id, turn);
      this.#timeline.turns.push(turn);
    }
    if (at !== undefined && turn.startedAt.length === 0 && this.#joinedThreads.has(threadId)) turn.joinedAt ??= at;
    return turn;
  }

  #item(turn: TurnTrack, id: string, type: string): ItemTrack {
    const key = `${turn.threadId} ${id}`;
    let item = this.#items.get(key);
    if (item === undefined) {
      item = { id, type, turn, startedAt: [], joined: undefined, deltas: [], completed: [] };
      this.#items.set(key, item);
      this.#timeline.items.push(item);
      turn.items.push(item);
    }
    if (item.type === '') item.type = type;
    return item;
  }
}
