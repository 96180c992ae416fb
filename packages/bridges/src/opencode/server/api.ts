// Owns the words in which an opencode server is asked: its routes, its password, its refusals. What an answer means is
// for the caller to read. Source: opencode 1.18.33, `GET /doc`.

import type { IncomingMessage } from 'node:http';
import { fieldsOf, textOf } from '@heddle/bridge-kit';
import { asError, HeddleError } from '@heddle/wire';
import { readBody, sendRequest } from './http-request.ts';

/** A long session with pictures, or the list of very many. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const TIMEOUT_MS = 20_000;
/** Until the events begin, which opencode tells at once. */
const EVENTS_TIMEOUT_MS = 5_000;
const USER = 'opencode';

export interface ServerAddress {
  /** Without a path: `http://127.0.0.1:4096`. */
  url: string;
  password: string | undefined;
}

export interface ApiRequest {
  /** The folder whose configuration and tools are meant; absolute. */
  directory?: string | undefined;
  query?: Record<string, string>;
  body?: unknown;
  /** Default 20 s; `null`: however long it takes. */
  timeoutMs?: number | null;
  signal?: AbortSignal;
}

/** opencode has refused, in its own words. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class OpencodeApi {
  readonly url: string;
  readonly #headers: Record<string, string>;
  readonly #password: string | undefined;

  constructor({ url, password }: ServerAddress) {
    this.url = url;
    this.#password = password;
    const credentials = Buffer.from(`${USER}:${password ?? ''}`).toString('base64');
    this.#headers = password === undefined ? {} : { authorization: `Basic ${credentials}` };
  }

  get(path: string, options?: ApiRequest): Promise<unknown> {
    return this.#ask('GET', path, options);
  }

  post(path: string, options?: ApiRequest): Promise<unknown> {
    return this.#ask('POST', path, options);
  }

  patch(path: string, options?: ApiRequest): Promise<unknown> {
    return this.#ask('PATCH', path, options);
  }

  delete(path: string, options?: ApiRequest): Promise<unknown> {
    return this.#ask('DELETE', path, options);
  }

  /** The same as `get`, with `undefined` for what is not there. */
  async find(path: string, options?: ApiRequest): Promise<unknown> {
    try {
      return await this.get(path, options);
    } catch (error) {
      if (error instanceof ApiRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /** opencode's commands find its password in their environment, and may print it. */
  redact(text: string): string {
    const password = this.#password ?? '';
    return password === '' || !text.includes(password) ? text : text.replaceAll(password, '[password of the server]');
  }

  /** All events of all folders, as bytes of server-sent events. */
  async events(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send('GET', '/global/event', { signal, timeoutMs: EVENTS_TIMEOUT_MS });
    if (response.statusCode !== 200) throw await refusalOf(response);
    return response;
  }

  /**
   * @throws ApiRefusal when opencode refuses
   * @throws HeddleError `agent_unavailable` when it does not answer
   */
  async #ask(method: string, path: string, options: ApiRequest = {}): Promise<unknown> {
    const response = await this.#send(method, path, options);
    if (response.statusCode === undefined || response.statusCode >= 300) throw await refusalOf(response);
    const text = await this.#reading(path, readBody(response, MAX_ANSWER_BYTES));
    if (text === '') return undefined;
    try {
      return JSON.parse(this.redact(text));
    } catch (cause) {
      // For a route that it does not have opencode answers with its web page.
      throw new HeddleError('agent_unavailable', `opencode at ${this.url} does not know ${path}`, {
        cause,
        hint: 'Update it with `opencode upgrade`.',
      });
    }
  }

  #send(method: string, path: string, { directory, query, body, timeoutMs = TIMEOUT_MS, signal }: ApiRequest): Promise<IncomingMessage> {
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    if (directory !== undefined) url.searchParams.set('directory', directory);
    const sent = sendRequest({
      method,
      url,
      headers: this.#headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs: timeoutMs ?? undefined,
      signal,
    });
    return this.#reading(path, sent);
  }

  async #reading<T>(path: string, reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (cause) {
      const { message } = asError(cause);
      throw new HeddleError('agent_unavailable', `opencode at ${this.url} does not answer ${path}: ${message}`, {
        cause,
        hint: 'Try again; `heddle logs` has more.',
      });
    }
  }
}

async function refusalOf(response: IncomingMessage): Promise<ApiRefusal> {
  const status = response.statusCode ?? 0;
  const text = await readBody(response, MAX_ANSWER_BYTES).catch(() => '');
  return new ApiRefusal(status, messageOf(text) ?? `opencode answers with HTTP status ${status}`);
}

function messageOf(text: string): string | undefined {
  try {
    const fields = fieldsOf(JSON.parse(text));
    return textOf(fieldsOf(fields['data'])['message']) ?? textOf(fields['message']);
  } catch {
    return undefined;
  }
}
