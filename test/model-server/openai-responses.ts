// Owns the OpenAI Responses API over server-sent events, as much of it as codex 0.169, opencode and pi use:
// messages, reasoning, function calls and custom (freeform) tool calls. It keeps no conversation on its side.

import { type Answer, chunksOf, type Dialect, type EventStream, type ModelRequest, newId } from './dialect.ts';
import { errorBody, imagesOf, textOf } from './openai-content.ts';
import type { ConversationTurn, StopReason } from './script.ts';
import type { JsonSchema, OfferedTool, ToolCall } from './tools.ts';

type Json = Record<string, unknown>;

export const openAiResponses: Dialect = {
  name: 'openai-responses',
  pathEnd: '/responses',
  readRequest,
  errorBody,
  write,
};

const incompleteReasons = { max_tokens: 'max_output_tokens', refusal: 'content_filter' } as const satisfies Record<StopReason, string>;

function readRequest(body: Json): ModelRequest {
  const tools = (Array.isArray(body['tools']) ? (body['tools'] as Json[]) : []).flatMap(readTool);
  return {
    model: typeof body['model'] === 'string' ? body['model'] : '',
    isStreaming: body['stream'] === true,
    instructions: readInstructions(body),
    turns: readInput(body['input']),
    tools,
    isSideJob: tools.length === 0,
    effort: (body['reasoning'] as { effort?: string } | null | undefined)?.effort,
    thinking: 'shown',
    answerSchema: (body['text'] as { format?: { schema?: JsonSchema } } | null | undefined)?.format?.schema,
    subAgent: undefined,
  };
}

/** They are a field of their own, or messages among the others. */
function readInstructions({ instructions, input }: Json): string {
  const items = Array.isArray(input) ? (input as Json[]) : [];
  const messages = items.filter(({ role }) => role === 'system' || role === 'developer').map(({ content }) => textOf(content));
  return [...(typeof instructions === 'string' ? [instructions] : []), ...messages].join('\n');
}

function readInput(input: unknown): ConversationTurn[] {
  if (typeof input === 'string') return [{ from: 'user', text: input }];
  if (!Array.isArray(input)) throw new Error('the request has no `input`');
  return (input as Json[]).flatMap((item): ConversationTurn[] => {
    const type = typeof item['type'] === 'string' ? item['type'] : 'message';
    if (type === 'message') {
      const role = item['role'];
      if (role === 'system' || role === 'developer') return [];
      return [{ from: role === 'assistant' ? 'model' : 'user', text: textOf(item['content']), images: imagesOf(item['content']) }];
    }
    return type.endsWith('_output') ? [{ from: 'tool', text: '', images: imagesOf(item['output']) }] : [{ from: 'model', text: '' }];
  });
}

/** Tools that the provider itself would run (web search) have no name; the scripted model has none of them. */
function readTool(tool: Json): OfferedTool[] {
  if (typeof tool['name'] !== 'string') return [];
  return [{ name: tool['name'], isFreeform: tool['type'] === 'custom', schema: tool['parameters'] ?? {} }];
}

async function write(stream: EventStream, request: ModelRequest, answer: Answer): Promise<void> {
  const output: Json[] = [];
  const response = {
    id: newId('resp'),
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model: request.model,
    status: 'in_progress',
    output: [],
  };
  send(stream, 'response.created', { response });
  send(stream, 'response.in_progress', { response });
  const reply: Reply = { stream, output };
  if (answer.think.length > 0) await writeReasoning(reply, answer.think);
  if (answer.text !== undefined) await writeMessage(reply, answer.text(), answer);
  if (answer.end === 'cut') return stream.cut();
  if (answer.end === 'hang') return stream.gone;
  for (const call of answer.calls) await writeCall(reply, call);
  const { input, cached, output: outputTokens, reasoning } = answer.usage;
  const status = answer.stop === undefined ? 'completed' : 'incomplete';
  send(stream, `response.${status}`, {
    response: {
      ...response,
      status,
      incomplete_details: answer.stop === undefined ? null : { reason: incompleteReasons[answer.stop] },
      output,
      usage: {
        input_tokens: input,
        input_tokens_details: { cached_tokens: cached },
        output_tokens: outputTokens,
        output_tokens_details: { reasoning_tokens: reasoning },
        total_tokens: input + outputTokens,
      },
    },
  });
  stream.end();
}

interface Reply {
  stream: EventStream;
  output: Json[];
}

const numbered = (stream: EventStream, type: string, data: Json) => ({ type, sequence_number: stream.nextNumber(), ...data });
const send = (stream: EventStream, type: string, data: Json) => stream.event(type, numbered(stream, type, data));
const sendChunk = (stream: EventStream, type: string, data: Json) => stream.chunk(type, numbered(stream, type, data));

async function writeReasoning({ stream, output }: Reply, parts: string[]): Promise<void> {
  const id = newId('rs');
  const at = { item_id: id, output_index: output.length };
  send(stream, 'response.output_item.added', {
    output_index: output.length,
    item: { id, type: 'reasoning', summary: [], encrypted_content: null },
  });
  const summary: Json[] = [];
  for (const [summary_index, text] of parts.entries()) {
    const part = { type: 'summary_text', text };
    send(stream, 'response.reasoning_summary_part.added', { ...at, summary_index, part: { ...part, text: '' } });
    for (const delta of chunksOf(text)) await sendChunk(stream, 'response.reasoning_summary_text.delta', { ...at, summary_index, delta });
    send(stream, 'response.reasoning_summary_text.done', { ...at, summary_index, text });
    send(stream, 'response.reasoning_summary_part.done', { ...at, summary_index, part });
    summary.push(part);
  }
  const item = { id, type: 'reasoning', summary, encrypted_content: Buffer.from('scripted').toString('base64') };
  send(stream, 'response.output_item.done', { output_index: output.length, item });
  output.push(item);
}

async function writeMessage({ stream, output }: Reply, chunks: AsyncIterable<string>, answer: Answer): Promise<void> {
  // codex takes a message before a tool call for a remark on the way.
  const phase = answer.calls.length > 0 ? 'commentary' : 'final_answer';
  const item = { id: newId('msg'), type: 'message', role: 'assistant', status: 'in_progress', content: [], phase };
  const at = { item_id: item.id, output_index: output.length, content_index: 0 };
  const part = (text: string) => ({ type: 'output_text', text, annotations: [] });
  send(stream, 'response.output_item.added', { output_index: output.length, item });
  send(stream, 'response.content_part.added', { ...at, part: part('') });
  let text = '';
  for await (const delta of chunks) {
    text += delta;
    await sendChunk(stream, 'response.output_text.delta', { ...at, delta });
    if (stream.isGone) return;
  }
  if (answer.end !== 'complete') return;
  send(stream, 'response.output_text.done', { ...at, text });
  send(stream, 'response.content_part.done', { ...at, part: part(text) });
  const done = { ...item, status: 'completed', content: [part(text)] };
  send(stream, 'response.output_item.done', { output_index: output.length, item: done });
  output.push(done);
}

async function writeCall({ stream, output }: Reply, call: ToolCall): Promise<void> {
  const isText = call.input.kind === 'text';
  const words = isText
    ? { prefix: 'ctc', type: 'custom_tool_call', field: 'input', event: 'response.custom_tool_call_input' }
    : { prefix: 'fc', type: 'function_call', field: 'arguments', event: 'response.function_call_arguments' };
  const text = call.input.kind === 'text' ? call.input.text : JSON.stringify(call.input.value);
  const item = {
    id: newId(words.prefix),
    type: words.type,
    call_id: newId('call'),
    name: call.name,
    [words.field]: '',
    status: 'in_progress',
  };
  const at = { item_id: item.id, output_index: output.length };
  send(stream, 'response.output_item.added', { output_index: output.length, item });
  for (const delta of chunksOf(text))
    await sendChunk(stream, `${words.event}.delta`, { ...at, delta, ...(isText ? { call_id: item.call_id } : {}) });
  send(stream, `${words.event}.done`, { ...at, [words.field]: text });
  const done = { ...item, [words.field]: text, status: 'completed' };
  send(stream, 'response.output_item.done', { output_index: output.length, item: done });
  output.push(done);
}
