// The schema check accepts what the real codex said, and nothing that it could not have said.

import { readdirSync, readFileSync } from 'node:fs';
import { clientRequests, serverNotifications, serverRequests } from '@heddle/wire';
import { describe, expect, it } from 'vitest';
import { type Direction, type Entry, type Message, readTranscript } from '../../conformance/recording.ts';
import { loadSchemaCheck, schemaFile } from '../../conformance/schema.ts';
import type { SchemaBundle } from '../../conformance/schema-bundle.ts';

const schema = loadSchemaCheck();
const folder = new URL('../../goldens/codex/', import.meta.url);

/** A recording of one connection. */
const said = (...messages: [Direction, Message][]): Entry[] =>
  messages.map(([direction, message], index) => ({ seq: index + 1, connection: 'A', kind: 'message', direction, message }));
const problems = (...messages: [Direction, Message][]) => schema.check(said(...messages)).map(({ seq, text }) => `${seq} ${text}`);

describe('recordings of the real codex', () => {
  it.each(readdirSync(folder).filter((file) => file.endsWith('.jsonl')))('%s fits', (file) => {
    expect(schema.check(readTranscript(readFileSync(new URL(file, folder), 'utf8')))).toEqual([]);
  });
});

describe('the committed schema', () => {
  const bundle = JSON.parse(readFileSync(schemaFile, 'utf8')) as SchemaBundle;
  it('is of the codex that the tests install', () => {
    const installed = JSON.parse(readFileSync(new URL('../../agents/install/package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(bundle.codex).toBe(installed.dependencies['@openai/codex']);
  });
  it('has every method of the wire', () => {
    expect(Object.keys(bundle.notifications)).toEqual(expect.arrayContaining(Object.keys(serverNotifications)));
    expect(Object.keys(bundle.serverRequests)).toEqual(expect.arrayContaining(Object.keys(serverRequests)));
    expect(Object.keys(bundle.clientRequests).toSorted()).toEqual(Object.keys(clientRequests).toSorted());
  });
});

describe('the schema check objects to', () => {
  it('a notification that codex does not have', () => {
    expect(problems(['toClient', { method: 'thread/exploded', params: {} }])).toEqual([
      '1 the notification thread/exploded is not in the schema',
    ]);
  });
  it('a notification with a missing or a wrong field', () => {
    const delta = { threadId: 't', turnId: 'u', itemId: 'i', delta: 'x' };
    const method = 'item/agentMessage/delta';
    expect(problems(['toClient', { method, params: delta }])).toEqual([]);
    const { delta: _, ...missing } = delta;
    expect(problems(['toClient', { method, params: missing }])[0]).toContain("must have required property 'delta'");
    expect(problems(['toClient', { method, params: { ...delta, delta: 7 } }])[0]).toContain('/delta must be string');
  });
  it('a server request that codex does not have', () => {
    expect(problems(['toClient', { id: 1, method: 'item/approve', params: {} }])).toEqual([
      '1 the server request item/approve is not in the schema',
    ]);
  });
  it('a result that does not fit the method it answers', () => {
    const read = { id: 'a', method: 'thread/unsubscribe', params: { threadId: 't' } };
    expect(problems(['toServer', read], ['toClient', { id: 'a', result: { status: 'unsubscribed' } }])).toEqual([]);
    expect(problems(['toServer', read], ['toClient', { id: 'a', result: { status: 'left' } }])[0]).toContain(
      '2 answer to thread/unsubscribe: /status',
    );
  });
  it('a result for a method that does not exist, but not a refusal', () => {
    const ask: [Direction, Message] = ['toServer', { id: 1, method: 'no/such/method', params: {} }];
    expect(problems(ask, ['toClient', { id: 1, error: { code: -32601, message: 'no' } }])).toEqual([]);
    expect(problems(ask, ['toClient', { id: 1, result: {} }])).toEqual(['2 a result for no/such/method, which is not in the schema']);
    expect(problems(ask, ['toClient', { id: 1, error: { message: 'no' } }])).toEqual([
      '2 refusal of no/such/method: an error has an integer code and a message',
    ]);
  });
  it('an answer to nothing, and what is no message', () => {
    expect(problems(['toClient', { id: 9, result: {} }])[0]).toContain('1 neither a request');
    expect(problems(['toClient', { notJson: 'x' }])[0]).toContain('1 neither a request');
  });
  it('a wrong answer of the client, and a wrong request', () => {
    const question = {
      id: 0,
      method: 'item/fileChange/requestApproval',
      params: { threadId: 't', turnId: 'u', itemId: 'i', startedAtMs: 1 },
    };
    expect(problems(['toClient', question], ['toServer', { id: 0, result: { decision: 'accept' } }])).toEqual([]);
    expect(problems(['toClient', question], ['toServer', { id: 0, result: { decision: 'perhaps' } }])[0]).toContain(
      '2 answer to item/fileChange',
    );
    expect(problems(['toServer', { id: 3, method: 'thread/read', params: {} }])[0]).toContain("must have required property 'threadId'");
  });
});
