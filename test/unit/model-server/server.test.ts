import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prompt, type Step } from '../../model-server/script.ts';
import { type ModelServer, startModelServer } from '../../model-server/server.ts';

let server: ModelServer;
beforeEach(async () => {
  server = await startModelServer();
});
afterEach(() => server.close());

const tools = [
  { type: 'function', name: 'exec_command', parameters: { properties: { cmd: { type: 'string' } } } },
  { type: 'custom', name: 'apply_patch' },
  { type: 'web_search' },
];

interface StreamEvent {
  type: string;
  sequence_number: number;
  delta?: string;
  response?: { status: string; output: Record<string, unknown>[]; usage?: Record<string, unknown> };
}

function ask(steps: Step | Step[], more: { input?: unknown[]; signal?: AbortSignal } = {}): Promise<Response> {
  const input = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt('Go.', steps) }] }, ...(more.input ?? [])];
  return fetch(`${server.url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', stream: true, tools, input }),
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  });
}

async function eventsOf(response: Response): Promise<StreamEvent[]> {
  const text = await response.text();
  return text
    .trim()
    .split('\n\n')
    .map((block) => {
      const [event, data] = block.split('\n');
      const value = JSON.parse(data?.replace('data: ', '') ?? '') as StreamEvent;
      expect(event).toBe(`event: ${value.type}`);
      return value;
    });
}

const deltas = (events: StreamEvent[], type: string) =>
  events
    .filter((event) => event.type === type)
    .map((event) => event.delta)
    .join('');

describe('OpenAI Responses', () => {
  it('streams reasoning and a text', async () => {
    const events = await eventsOf(await ask({ think: ['Part one.', 'Part two.'], text: 'Hello, 世界! '.repeat(5) }));
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events[0]?.type).toBe('response.created');
    expect(deltas(events, 'response.reasoning_summary_text.delta')).toBe('Part one.Part two.');
    expect(deltas(events, 'response.output_text.delta')).toBe('Hello, 世界! '.repeat(5));
    const { response } = events.at(-1) ?? {};
    expect(response).toMatchObject({ status: 'completed', usage: { input_tokens: 100, total_tokens: 125 } });
    expect(response?.output.map((item) => [item['type'], item['phase']])).toEqual([
      ['reasoning', undefined],
      ['message', 'final_answer'],
    ]);
    expect(server.requests).toMatchObject([
      { dialect: 'openai-responses', model: 'm', script: 'inline', step: 0, tools: ['exec_command', 'apply_patch'], outcome: 'answered' },
    ]);
  });

  it('calls tools, then goes on with the next step', async () => {
    const steps: Step[] = [
      {
        text: 'First.',
        tools: [
          { kind: 'shell', command: 'ls' },
          { kind: 'write', path: 'a', content: 'b\n' },
        ],
      },
      { text: 'Then.' },
    ];
    const output = (await eventsOf(await ask(steps))).at(-1)?.response?.output ?? [];
    expect(output).toMatchObject([
      { type: 'message', phase: 'commentary' },
      { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"ls"}' },
      { type: 'custom_tool_call', name: 'apply_patch', input: '*** Begin Patch\n*** Add File: a\n+b\n*** End Patch\n' },
    ]);
    const results = output.slice(1).map((item) => ({ type: `${String(item['type'])}_output`, call_id: item['call_id'], output: 'ok' }));
    expect(deltas(await eventsOf(await ask(steps, { input: [...output, ...results] })), 'response.output_text.delta')).toBe('Then.');
  });

  it('answers with an HTTP error', async () => {
    const response = await ask({ error: { status: 401, message: 'no key' } });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      error: { message: 'no key', type: 'authentication_error', code: 'invalid_api_key', param: null },
    });
    expect(server.requests[0]?.outcome).toBe('error');
  });

  it('fails so many times, then answers', async () => {
    const step = { error: { status: 500, times: 2 }, text: 'At last.' };
    const statuses: number[] = [];
    for (let round = 0; round < 6; round++) statuses.push((await ask(step)).status);
    expect(statuses).toEqual([500, 500, 200, 500, 500, 200]);
  });

  it('stops before it is done', async () => {
    const { type, response } = (await eventsOf(await ask({ text: 'Half', stop: 'max_tokens' }))).at(-1) ?? {};
    expect(type).toBe('response.incomplete');
    expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  it('sees images', async () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' };
    const text = { type: 'input_text', text: prompt('Look.', { text: ['I see ', { count: 'images' }, '.'] }) };
    const response = await ask({ text: 'not this' }, { input: [{ type: 'message', role: 'user', content: [text, image] }] });
    expect(deltas(await eventsOf(response), 'response.output_text.delta')).toBe('I see 1.');
    expect(server.requests[0]?.images).toEqual([{ mediaType: 'image/png', base64: 'AAAA' }]);
  });

  it('cuts a stream', async () => {
    const response = await ask({ text: 'This will not be', cut: true });
    await expect(response.text()).rejects.toThrow();
    expect(server.requests[0]?.outcome).toBe('cut');
  });

  it('cuts a stream so many times, then lets it through', async () => {
    const step = { text: 'Whole.', cut: { times: 1 } };
    await expect((await ask(step)).text()).rejects.toThrow();
    expect(deltas(await eventsOf(await ask(step)), 'response.output_text.delta')).toBe('Whole.');
  });

  it('says what is wrong with a script where the agent shows it', async () => {
    const response = await ask({ tools: [{ kind: 'plan', items: [] }] });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('the agent offers no tool to plan');
    const notStreaming = await fetch(`${server.url}/responses`, { method: 'POST', body: '{"input":"Hi"}' });
    expect(await notStreaming.text()).toContain('served as a stream only');
  });

  it('keeps side requests out of the script', async () => {
    const body = JSON.stringify({ stream: true, input: prompt('Make a title.', { error: { status: 500 } }) });
    const response = await fetch(`${server.url}/v1/responses`, { method: 'POST', body });
    expect(deltas(await eventsOf(response), 'response.output_text.delta')).toBe('A side answer.');
    expect(server.requests[0]?.script).toBe('side request');
  });
});

describe('gates', () => {
  it('hold an answer before its first byte', async () => {
    const response = ask({ wait: 'start', text: 'At last.' });
    await server.reached('start');
    expect(server.requests[0]?.outcome).toBe('open');
    server.release('start');
    expect(deltas(await eventsOf(await response), 'response.output_text.delta')).toBe('At last.');
  });

  it('hold an answer in the middle of its text', async () => {
    const response = await ask({ text: ['Before, ', { wait: 'middle' }, 'behind.'] });
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('Before, ')) text += (await reader.read()).value ?? '';
    await server.reached('middle');
    expect(text).not.toContain('behind.');
    server.release('middle');
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
    }
    expect(text).toContain('behind.');
    expect(text).toContain('response.completed');
  });

  it('that were released stay open', async () => {
    server.release('early');
    expect(deltas(await eventsOf(await ask({ wait: 'early', text: 'No wait.' })), 'response.output_text.delta')).toBe('No wait.');
  });

  it('let go of a client that leaves, which the log tells', async () => {
    const leaving = new AbortController();
    const response = ask({ wait: 'never', text: 'x' }, { signal: leaving.signal });
    await server.reached('never');
    leaving.abort();
    await expect(response).rejects.toThrow();
    await expect.poll(() => server.requests[0]?.outcome).toBe('abandoned');
  });
});

it('serves its log and its gates over HTTP too', async () => {
  const response = ask({ wait: 'a gate', text: 'Through.' });
  await server.reached('a gate');
  await fetch(`${server.url}/__release/${encodeURIComponent('a gate')}`);
  await (await response).text();
  expect(await (await fetch(`${server.url}/__log`)).json()).toMatchObject([{ script: 'inline', outcome: 'answered' }]);
  expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
});
