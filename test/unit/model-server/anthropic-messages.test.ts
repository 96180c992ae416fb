import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prompt, type Step } from '../../model-server/script.ts';
import { type ModelServer, startModelServer } from '../../model-server/server.ts';

let server: ModelServer;
beforeEach(async () => {
  server = await startModelServer();
});
afterEach(() => server.close());

const tools = [
  { name: 'Bash', input_schema: { properties: { command: { type: 'string' } } } },
  { type: 'web_search_20250305', name: 'web_search' },
];

interface StreamEvent {
  type: string;
  index?: number;
  message?: Record<string, unknown>;
  content_block?: Record<string, unknown>;
  delta?: Record<string, unknown>;
  usage?: Record<string, unknown>;
}

const call = (body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'm', stream: true, tools, ...body }),
  });

const user = (content: unknown) => ({ role: 'user', content });
const ask = (steps: Step | Step[], body: Record<string, unknown> = {}) => call({ messages: [user(prompt('Go.', steps))], ...body });

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

const joined = (events: StreamEvent[], key: string) =>
  events.map(({ delta }) => (typeof delta?.[key] === 'string' ? delta[key] : '')).join('');

describe('Anthropic Messages', () => {
  it('streams thoughts and a text', async () => {
    const thinking = { type: 'adaptive', display: 'summarized' };
    const step = { think: ['One.', 'Two.'], text: 'Hello, 世界! '.repeat(5) };
    const events = await eventsOf(
      await ask(step, { system: [{ type: 'text', text: 'Be kind.' }], thinking, output_config: { effort: 'high' } }),
    );
    expect(events[0]).toMatchObject({
      type: 'message_start',
      message: { role: 'assistant', model: 'm', content: [], usage: { input_tokens: 80, cache_read_input_tokens: 20, output_tokens: 1 } },
    });
    expect(
      events.filter(({ content_block }) => content_block !== undefined).map(({ index, content_block }) => [index, content_block?.['type']]),
    ).toEqual([
      [0, 'thinking'],
      [1, 'thinking'],
      [2, 'text'],
    ]);
    expect(joined(events, 'thinking')).toBe('One.Two.');
    expect(joined(events, 'text')).toBe(step.text);
    expect(events.slice(-2)).toMatchObject([
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 25 } },
      { type: 'message_stop' },
    ]);
    expect(server.requests).toMatchObject([
      { dialect: 'anthropic-messages', instructions: 'Be kind.', thinking: 'shown', effort: 'high', tools: ['Bash'], outcome: 'answered' },
    ]);
  });

  it('hides its thoughts unless asked for them, and has none when told so', async () => {
    const hidden = await eventsOf(await ask({ think: 'Hm.' }, { thinking: { type: 'adaptive' } }));
    expect([joined(hidden, 'thinking'), joined(hidden, 'signature')]).toEqual(['', 'c2NyaXB0ZWQ=']);
    const none = await eventsOf(await ask({ think: 'Hm.', text: 'x' }, { thinking: { type: 'disabled' } }));
    expect(none.map(({ content_block }) => content_block?.['type']).filter(Boolean)).toEqual(['text']);
  });

  it('calls tools, then goes on with the next step', async () => {
    const steps: Step[] = [
      {
        tools: [
          { kind: 'shell', command: 'ls' },
          { kind: 'shell', command: 'pwd' },
        ],
      },
      { text: 'Then.' },
    ];
    const events = await eventsOf(await ask(steps));
    const ids = events.flatMap(({ content_block }) => (content_block?.['type'] === 'tool_use' ? [content_block['id']] : []));
    expect(new Set(ids).size).toBe(2);
    expect(joined(events, 'partial_json')).toBe('{"command":"ls"}{"command":"pwd"}');
    expect(events.at(-2)?.delta).toEqual({ stop_reason: 'tool_use', stop_sequence: null });
    const said = ids.map((id) => ({ type: 'tool_use', id, name: 'Bash', input: {} }));
    const results = ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }));
    const messages = [user(prompt('Go.', steps)), { role: 'assistant', content: said }, user(results)];
    expect(joined(await eventsOf(await call({ messages })), 'text')).toBe('Then.');
    // What the user says while a tool runs comes behind its result, as a note of the agent.
    const steered = [...messages, { role: 'system', content: `The user sent: ${prompt('Stop.', { text: 'Steered.' })}` }];
    expect(joined(await eventsOf(await call({ messages: steered })), 'text')).toBe('Steered.');
  });

  it('sees images, those from tools too', async () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
    const text = { type: 'text', text: prompt('Look.', { text: ['I see ', { count: 'images' }, '.'] }) };
    const result = { type: 'tool_result', tool_use_id: 't', content: [image] };
    const messages = [user('Hi'), { role: 'assistant', content: 'Hi' }, user([result, text, image, image])];
    expect(joined(await eventsOf(await call({ messages })), 'text')).toBe('I see 2.');
    expect(server.requests[0]?.images).toHaveLength(3);
    expect(server.requests[0]?.images[0]).toEqual({ mediaType: 'image/png', base64: 'AAAA' });
  });

  it('answers in one piece, cuts included', async () => {
    const step: Step = { text: ['Half', ' a text'], stop: 'max_tokens', tools: [{ kind: 'shell', command: 'ls' }] };
    const whole = await (await ask(step, { stream: false })).json();
    expect(whole).toMatchObject({
      type: 'message',
      content: [
        { type: 'text', text: 'Half a text' },
        { type: 'tool_use', name: 'Bash', input: { command: 'ls' } },
      ],
      stop_reason: 'max_tokens',
      usage: { output_tokens: 25 },
    });
    await expect(ask({ text: 'x', cut: true }, { stream: false })).rejects.toThrow();
    await expect((await ask({ text: 'x', cut: true })).text()).rejects.toThrow();
    expect(server.requests.map(({ outcome }) => outcome)).toEqual(['answered', 'cut', 'cut']);
  });

  it('answers with an error, its own and those of a wrong script', async () => {
    const response = await ask({ error: { status: 429, message: 'slower', retry_after: 3 } });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
    expect(await response.json()).toEqual({ type: 'error', error: { type: 'rate_limit_error', message: 'slower' } });
    const wrong = await ask({ tools: [{ kind: 'plan', items: [] }] });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('the agent offers no tool to plan: it offers Bash')]);
  });

  it('keeps side requests out of the script', async () => {
    const messages = [user(prompt('Go.', { error: { status: 500 } }))];
    expect(joined(await eventsOf(await call({ messages, tools: [] })), 'text')).toBe('A side answer.');
    const schema = { type: 'object', properties: { title: { type: 'string' }, tags: { type: 'array' } } };
    const title = await call({ messages, tools: [], output_config: { format: { type: 'json_schema', schema } } });
    expect(joined(await eventsOf(title), 'text')).toBe('{"title":"A side answer.","tags":[]}');
    const summary = [...messages, user('CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\nSummarize.')];
    expect(joined(await eventsOf(await call({ messages: summary })), 'text')).toBe('A side answer.');
  });

  it('tells the requests of a sub-agent apart', async () => {
    await call({ messages: [user('Hi')] }, { 'x-claude-code-agent-id': 'a1' });
    await call({ messages: [user('Hi')] });
    expect(server.requests.map(({ subAgent }) => subAgent)).toEqual(['a1', undefined]);
  });

  it('answers the other calls of the API', async () => {
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200);
    const count = await fetch(`${server.url}/v1/messages/count_tokens?beta=true`, { method: 'POST', body: '12345678' });
    expect(await count.json()).toEqual({ input_tokens: 2 });
  });
});
