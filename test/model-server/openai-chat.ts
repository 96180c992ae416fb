// Owns the OpenAI Chat Completions API, streamed and in one piece, as much of it as opencode 1.18 and pi 0.73 and 0.87
// use: text, reasoning (`reasoning_content`, which many servers add to it), tool calls, images, usage. It keeps no
// conversation on its side.

import { type Answer, chunksOf, type Dialect, type EventStream, type ModelRequest, newId } from './dialect.ts';
import { errorBody, imagesOf, textOf } from './openai-content.ts';
import type { ConversationTurn, StopReason } from './script.ts';
import type { JsonSchema, OfferedTool } from './tools.ts';

type Json = Record<string, unknown>;

export const openAiChat: Dialect = {
  name: 'openai-chat',
  pathEnd: '/chat/completions',
  readRequest,
  errorBody,
  write,
  async wholeBody(request, answer) {
    let content: string | null = null;
    if (answer.text !== undefined) for await (const chunk of answer.text()) content = (content ?? '') + chunk;
    const message = {
      role: 'assistant',
      content,
      ...(answer.think.length > 0 ? { reasoning_content: thought(answer) } : {}),
      ...(answer.calls.length > 0 ? { tool_calls: toolCalls(answer) } : {}),
    };
    return {
      ...head(request, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: finishReason(answer) }],
      usage: usage(answer),
    };
  },
};

function readRequest(body: Json): ModelRequest {
  if (!Array.isArray(body['messages'])) throw new Error('the request has no `messages`');
  const messages = body['messages'] as Json[];
  const tools = (Array.isArray(body['tools']) ? (body['tools'] as Json[]) : []).flatMap(readTool);
  const effort = typeof body['reasoning_effort'] === 'string' ? body['reasoning_effort'] : undefined;
  const options = body['stream_options'] as { include_usage?: boolean } | null | undefined;
  return {
    model: typeof body['model'] === 'string' ? body['model'] : '',
    isStreaming: body['stream'] === true,
    streamsUsage: options?.include_usage === true,
    instructions: messages
      .filter(isInstruction)
      .map(({ content }) => textOf(content))
      .join('\n'),
    turns: messages.filter((message) => !isInstruction(message)).map(readMessage),
    tools,
    isSideJob: tools.length === 0,
    effort,
    thinking: effort === 'none' ? 'none' : 'shown',
    answerSchema: (body['response_format'] as { json_schema?: { schema?: JsonSchema } } | null | undefined)?.json_schema?.schema,
    subAgent: undefined,
  };
}

const isInstruction = ({ role }: Json) => role === 'system' || role === 'developer';

/** An image from a tool comes in a message of the user's, which the agent writes: a tool's result is a text here. */
function readMessage({ role, content }: Json): ConversationTurn {
  const from = role === 'assistant' ? 'model' : role === 'tool' ? 'tool' : 'user';
  return { from, text: from === 'tool' ? '' : textOf(content), images: imagesOf(content) };
}

function readTool(tool: Json): OfferedTool[] {
  const offered = tool['function'] as { name?: unknown; parameters?: JsonSchema } | undefined;
  if (typeof offered?.name !== 'string') return [];
  return [{ name: offered.name, isFreeform: false, schema: offered.parameters ?? {} }];
}

const head = (request: ModelRequest, object: string) => ({
  id: newId('chatcmpl'),
  object,
  created: Math.floor(Date.now() / 1000),
  model: request.model,
});

/** Of this API, what came from the cache is a part of the input, and the thoughts are a part of the output. */
const usage = ({ usage: { input, cached, output, reasoning } }: Answer) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: reasoning },
});

const stopReasons = { max_tokens: 'length', refusal: 'content_filter' } as const satisfies Record<StopReason, string>;

const finishReason = ({ stop, calls }: Answer) => (stop !== undefined ? stopReasons[stop] : calls.length > 0 ? 'tool_calls' : 'stop');

/** An answer has one thought here, however many parts the script gives it. */
const thought = ({ think }: Answer) => think.join('\n\n');

function toolCalls({ calls }: Answer) {
  return calls.map(({ name, input }) => {
    if (input.kind === 'text') throw new Error(`${name} takes plain text, which this API has no call for`);
    return { id: newId('call'), type: 'function', function: { name, arguments: JSON.stringify(input.value) } };
  });
}

async function write(stream: EventStream, request: ModelRequest, answer: Answer): Promise<void> {
  const calls = toolCalls(answer);
  const chunk = head(request, 'chat.completion.chunk');
  const send = (delta: Json, finish_reason: string | null = null) =>
    stream.chunk(undefined, { ...chunk, choices: [{ index: 0, delta, finish_reason }] });
  await send({ role: 'assistant', content: '' });
  for (const reasoning_content of chunksOf(thought(answer))) await send({ reasoning_content });
  if (answer.text !== undefined) {
    for await (const content of answer.text()) {
      await send({ content });
      if (stream.isGone) return;
    }
  }
  if (answer.end === 'cut') return stream.cut();
  if (answer.end === 'hang') return stream.gone;
  for (const [index, { function: called, ...call }] of calls.entries()) {
    await send({ tool_calls: [{ index, ...call, function: { name: called.name, arguments: '' } }] });
    for (const piece of chunksOf(called.arguments)) await send({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  await send({}, finishReason(answer));
  if (request.streamsUsage === true) stream.event(undefined, { ...chunk, choices: [], usage: usage(answer) });
  stream.end('[DONE]');
}
