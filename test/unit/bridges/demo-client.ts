// Owns a client of the demo bridge for tests: it keeps every message of both sides in order and waits for them.

import { execFileSync } from 'node:child_process';
import { createDemoBridge } from '../../../packages/bridges/src/demo/bridge.ts';
import type { Bridge } from '@heddle/bridge-kit';
import { type Channel, type CloseReason, silentLog } from '@heddle/rpc';
import type { ClientMethod, ClientResult, PlanStep, Thread, ThreadItem, ThreadStatus, TokenUsage, Turn, TurnError } from '@heddle/wire';

/** The parameters that the tests look at; which of them are there depends on the method. */
export interface MessageParams {
  threadId: string;
  turnId: string;
  itemId: string;
  requestId: string;
  delta: string;
  diff: string;
  command: string;
  cwd: string;
  willRetry: boolean;
  threadName: string;
  plan: PlanStep[];
  item: ThreadItem;
  thread: Thread;
  turn: Turn;
  status: ThreadStatus;
  error: TurnError;
  tokenUsage: { total: TokenUsage; last: TokenUsage };
}

export interface Message {
  id: string | number;
  method?: string;
  params: MessageParams;
  result?: object;
  error?: { code: number; message: string };
  emittedAtMs?: number;
}

export const demoBridge = (env: NodeJS.ProcessEnv = process.env): Bridge =>
  createDemoBridge({
    log: silentLog,
    launchEnv: () => Promise.resolve(env),
    runtimeDir: '/run/heddle-test',
    stateDir: '/run/heddle-test', // the demo keeps nothing
    heddleVersion: '9.8.7',
  });

export class DemoClient {
  readonly channel: Channel;
  /** Everything that came, in order. */
  readonly received: Message[] = [];
  /** Why the session ended; resolves when everything that had been sent before has been taken. */
  readonly ended: Promise<CloseReason>;
  #nextId = 1;
  #watchers = new Set<() => void>();

  private constructor(channel: Channel) {
    this.channel = channel;
    this.ended = this.#read().then(() => channel.closed);
  }

  /** A session that is not initialized yet. */
  static async raw(bridge: Bridge): Promise<DemoClient> {
    return new DemoClient(await bridge.open());
  }

  static async connect(bridge: Bridge, capabilities: object = { experimentalApi: true }): Promise<DemoClient> {
    const client = await DemoClient.raw(bridge);
    await client.ok('initialize', { clientInfo: { name: 'test', version: '1' }, capabilities });
    client.send({ method: 'initialized' });
    return client;
  }

  send(message: object): void {
    this.channel.send(new TextEncoder().encode(JSON.stringify(message))).catch(() => {});
  }

  /** The whole answer, result or error. */
  async request(method: string, params?: unknown): Promise<Message> {
    const id = this.#nextId++;
    this.send({ id, method, params });
    return this.waitFor((message) => message.id === id && message.method === undefined);
  }

  /** The result; a refusal throws. */
  async ok<M extends ClientMethod>(method: M, params: unknown = {}): Promise<ClientResult<M>> {
    return (await this.okUntyped(method, params)) as ClientResult<M>;
  }

  async okUntyped(method: string, params?: unknown): Promise<unknown> {
    const answer = await this.request(method, params);
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  }

  async refused(method: string, params: unknown = {}): Promise<string> {
    const answer = await this.request(method, params);
    if (answer.error === undefined) throw new Error(`${method} was not refused`);
    return `${answer.error.code} ${answer.error.message}`;
  }

  answer(request: Message, decision: unknown): void {
    this.send({ id: request.id, result: { decision } });
  }

  /** The first message from `since` on that fits, arrived or yet to come. */
  async waitFor(fits: (message: Message) => boolean, since = 0): Promise<Message> {
    for (let index = since; ; index += 1) {
      while (index >= this.received.length) {
        await new Promise<void>((resolve, reject) => {
          this.#watchers.add(resolve);
          void this.ended.then((reason) => reject(new Error(`closed: ${reason.code} ${reason.message}`)));
        });
      }
      const message = this.received[index] as Message;
      if (fits(message)) return message;
    }
  }

  next(method: string, since = 0): Promise<Message> {
    return this.waitFor((message) => message.method === method, since);
  }

  all(method: string): Message[] {
    return this.received.filter((message) => message.method === method);
  }

  async startThread(params: object = {}): Promise<Thread> {
    return (await this.ok('thread/start', params)).thread;
  }

  async startTurn(threadId: string, text: string): Promise<Turn> {
    return (await this.ok('turn/start', { threadId, input: [{ type: 'text', text }] })).turn;
  }

  turnEnd(turnId: string): Promise<Message> {
    return this.waitFor((message) => message.method === 'turn/completed' && message.params.turn.id === turnId);
  }

  /** Starts a turn and waits for its end, answering every approval with `decision`. */
  async runTurn(threadId: string, text: string, decision?: unknown): Promise<Turn> {
    const since = this.received.length;
    const turn = await this.startTurn(threadId, text);
    const ends = (message: Message) => message.method === 'turn/completed' && message.params.turn.id === turn.id;
    for (let at = since; ; at = this.received.length) {
      const message = await this.waitFor((one) => ends(one) || one.method?.endsWith('requestApproval') === true, at);
      if (ends(message)) return message.params.turn;
      this.answer(message, decision);
      at = this.received.indexOf(message);
      await this.waitFor((one) => one.method === 'serverRequest/resolved' && one.params.requestId === message.id, at);
    }
  }

  /** What came, as one word each: the method, with what tells notices of one method apart. */
  sequence(since = 0): string[] {
    return this.received.slice(since).map(label);
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.channel.incoming) {
      this.received.push(JSON.parse(decoder.decode(bytes)) as Message);
      const watchers = this.#watchers;
      this.#watchers = new Set();
      for (const wake of watchers) wake();
    }
  }
}

function label({ method, params, error }: Message): string {
  if (method === undefined) return error === undefined ? '= result' : `= error ${error.message}`;
  if (method === 'thread/status/changed') {
    return `status ${[params.status.type, ...('activeFlags' in params.status ? params.status.activeFlags : [])].join(' ')}`;
  }
  if (method === 'turn/completed') return `turn/completed ${params.turn.status}`;
  if (method === 'item/started') return `+ ${params.item.type}`;
  if (method === 'item/completed') return ['-', params.item.type, ...('status' in params.item ? [params.item.status] : [])].join(' ');
  return method;
}

/** A sequence in which a label that repeats at once stands once. */
export function runs(labels: string[]): string[] {
  return labels.filter((one, index) => labels[index - 1] !== one);
}

/** Processes of a group that still live; one that has ended and waits to be reaped does not. */
export function livingInGroup(processGroup: number): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pgid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => Number.parseInt(line, 10) === processGroup && !/^\s*\d+\s+Z/.test(line));
}
