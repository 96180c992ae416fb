import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prompt, type Step } from '../../model-server/script.ts';
import { type ModelServer, startModelServer } from '../../model-server/server.ts';

let server: ModelServer;
beforeEach(async () => {
  server = await startModelServer();
});
afterEach(() => server.close());

const tools = [{ type: 'function', function: { name: 'bash', parameters: { properties: { command: { type: 'string' } } } } }];

interface Delta {
  content?: string;
  reasoning_content?: string;
  tool_calls?: { index: number; id?: string; function: { name?: string; arguments: string } }[];
}
interface Chunk {
  object: string;
  model: string;
  choices: { delta: Delta; finish_reason: string | null }[];
  usage?: Record<string, unknown>;
}

const call = (body: Record<string, unknown>): Promise<Response> =>
  fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'm', stream: true, tools, ...body }) });

const user = (content: unknown) => ({ role: 'user', content });
const ask = (steps: Step | Step[], body: Record<string, unknown> = {}) => call({ messages: [user(prompt('Go.', steps))], ...body });

async function chunksOf(response: Response): Promise<Chunk[]> {
  const lines = (await response.text()).trim().split('\n\n');
  expect(lines.pop()).toBe('data: [DONE]');
  return lines.map((line) => JSON.parse(line.replace('data: ', '')) as Chunk);
}

const deltas = (chunks: Chunk[]) => chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
const said = (chunks: Chunk[]) =>
  deltas(chunks)
    .map(({ content }) => content ?? '')
    .join('');
const finish = (chunks: Chunk[]) => chunks.flatMap(({ choices }) => choices.flatMap(({ finish_reason }) => finish_reason ?? []));

describe('OpenAI Chat Completions', () => {
  it('streams thoughts and a text, and its usage when asked', async () => {
    const step = { think: ['One.', 'Two.'], text: 'Hello, 世界! '.repeat(5), usage: { input: 7 } };
    const messages = [{ role: 'system', content: 'Be kind.' }, user([{ type: 'text', text: prompt('Go.', step) }])];
    const chunks = await chunksOf(await call({ messages, reasoning_effort: 'high', stream_options: { include_usage: true } }));
    expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', model: 'm', choices: [{ delta: { role: 'assistant' } }] });
    expect(
      deltas(chunks)
        .map(({ reasoning_content }) => reasoning_content ?? '')
        .join(''),
    ).toBe('One.\n\nTwo.');
    expect(said(chunks)).toBe(step.text);
    expect(finish(chunks)).toEqual(['stop']);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 7,
        completion_tokens: 25,
        total_tokens: 32,
        prompt_tokens_details: { cached_tokens: 20 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
    });
    expect(server.requests).toMatchObject([
      { dialect: 'openai-chat', instructions: 'Be kind.', effort: 'high', tools: ['bash'], outcome: 'answered' },
    ]);
    expect((await chunksOf(await ask(step))).filter(({ usage }) => usage !== undefined)).toEqual([]);
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
    const chunks = await chunksOf(await ask(steps));
    const pieces = deltas(chunks).flatMap(({ tool_calls }) => tool_calls ?? []);
    const calls = [0, 1].map((at) => pieces.filter(({ index }) => index === at));
    expect(calls.map((each) => each.map((piece) => piece.function.arguments).join(''))).toEqual(['{"command":"ls"}', '{"command":"pwd"}']);
    expect(calls.map((each) => each.flatMap((piece) => piece.function.name ?? []))).toEqual([['bash'], ['bash']]);
    const ids = pieces.flatMap(({ id }) => id ?? []);
    expect(new Set(ids).size).toBe(2);
    expect(finish(chunks)).toEqual(['tool_calls']);
    const messages = [
      user(prompt('Go.', steps)),
      {
        role: 'assistant',
        content: null,
        tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'bash', arguments: '{}' } })),
      },
      ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: 'ok' })),
    ];
    expect(said(await chunksOf(await call({ messages })))).toBe('Then.');
    const steered = [...messages, user(prompt('Stop.', { text: 'Steered.' }))];
    expect(said(await chunksOf(await call({ messages: steered })))).toBe('Steered.');
  });

  it('sees images', async () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    const elsewhere = { type: 'image_url', image_url: { url: 'https://images.example/a.png' } };
    const text = { type: 'text', text: prompt('Look.', { text: ['I see ', { count: 'images' }, '.'] }) };
    expect(said(await chunksOf(await call({ messages: [user([text, image, image, elsewhere])] })))).toBe('I see 2.');
    expect(server.requests[0]?.images[0]).toEqual({ mediaType: 'image/png', base64: 'AAAA' });
  });

  it('answers in one piece', async () => {
    const step: Step = { think: 'Hm.', text: ['Half', ' a text'], stop: 'max_tokens', tools: [{ kind: 'shell', command: 'ls' }] };
    expect(await (await ask(step, { stream: false })).json()).toMatchObject({
      object: 'chat.completion',
      choices: [
        {
          message: {
            role: 'assistant',
            content: 'Half a text',
            reasoning_content: 'Hm.',
            tool_calls: [{ type: 'function', function: { name: 'bash', arguments: '{"command":"ls"}' } }],
          },
          finish_reason: 'length',
        },
      ],
      usage: { completion_tokens: 25 },
    });
  });

  it('stops for other reasons, waits, and breaks off', async () => {
    expect(finish(await chunksOf(await ask({ text: 'No.', stop: 'refusal' })))).toEqual(['content_filter']);
    const waiting = ask({ text: ['One', { wait: 'gate' }, ' two'] });
    await server.reached('gate');
    server.release('gate');
    expect(said(await chunksOf(await waiting))).toBe('One two');
    await expect((await ask({ text: 'x', cut: true })).text()).rejects.toThrow();
    await expect(ask({ text: 'x', cut: true }, { stream: false })).rejects.toThrow();
    const hanging = await ask({ text: 'x', hang: true });
    await hanging.body?.cancel();
    await expect.poll(() => server.requests.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'cut', 'cut', 'abandoned']);
  });

  it('answers with an error, its own and those of a wrong script', async () => {
    const response = await ask({ error: { status: 429, message: 'slower', retry_after: 3 } });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
    expect(await response.json()).toEqual({ error: { message: 'slower', type: 'rate_limit_error', code: null, param: null } });
    const wrong = await ask({ tools: [{ kind: 'plan', items: [] }] });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('the agent offers no tool to plan: it offers bash')]);
  });

  it('keeps side requests out of the script', async () => {
    const messages = [user(prompt('Go.', { error: { status: 500 } }))];
    expect(said(await chunksOf(await call({ messages, tools: undefined })))).toBe('A side answer.');
    const schema = { type: 'object', properties: { title: { type: 'string' } } };
    const title = await call({ messages, tools: [], response_format: { type: 'json_schema', json_schema: { name: 'title', schema } } });
    expect(said(await chunksOf(title))).toBe('{"title":"A side answer."}');
  });

  it('lists a model', async () => {
    expect(await (await fetch(`${server.url}/v1/models`)).json()).toMatchObject({
      object: 'list',
      data: [{ id: 'fake-1', object: 'model' }],
    });
  });
});
