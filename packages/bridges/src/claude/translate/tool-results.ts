// Owns what a tool's result makes of the item that its call has opened.

import { fieldsOf, type ItemChanges, listOf, textOf } from '@heddle/bridge-kit';
import type { CollabAgentState } from '@heddle/wire';
import type { ToolResult, ToolUse } from '../native-content.ts';
import { doneChange, type FileChange, wireChange } from './file-changes.ts';
import { threadIdOfAgent } from './thread-id-of-agent.ts';
import { toolKind } from './tool-kinds.ts';

/**
 * What claude is told when the user declines: by these words a refused call is known, live and in the transcript.
 * To be given as the `message` of a `deny`.
 */
export const DECLINED_BY_USER = 'The user declined this tool call. Do not try to reach the same by another way.';
/** claude's own words when a call is cut off, be it before the answer to a question or while the tool runs. */
const CUT_OFF = "The user doesn't want to proceed with this tool use.";

/** What the model is told of a command that printed nothing. */
const NO_OUTPUT = '(Bash completed with no output)';

export interface CallEnd {
  tool: ToolUse;
  result: ToolResult;
  /** The result as data, in claude's form for the tool. */
  data: unknown;
  /** What a file tool was going to do. */
  change: FileChange | undefined;
  /** Whether a person had not answered yet; `undefined`: nobody knows any more. */
  wasWaiting: boolean | undefined;
  /** The sub-agent that the call has started, as far as it is known. */
  agentThreadId: string | undefined;
}

export function closingChanges(end: CallEnd): ItemChanges {
  switch (toolKind(end.tool)) {
    case 'command':
      return commandChanges(end);
    case 'fileChange': {
      const change = changeDone(end);
      return { status: statusOf(end), ...(change === undefined ? {} : { changes: [wireChange(change)] }) };
    }
    case 'mcp':
      return mcpChanges(end);
    case 'subAgent':
      return subAgentChanges(end);
    case 'plan': {
      const text = textOf(fieldsOf(end.data)['plan']);
      return text === undefined ? {} : { text };
    }
    case 'other': {
      const success = !end.result.isError;
      return { status: success ? 'completed' : 'failed', success, contentItems: end.result.content.map(contentItem) };
    }
    case 'webSearch':
    case 'image':
    case 'tasks':
    case 'question':
      return {};
  }
}

/** What a file tool has done; `undefined`: nothing, or something that is not known. */
export function changeDone({ tool, result, data, change }: CallEnd): FileChange | undefined {
  if (result.isError || change === undefined) return undefined;
  const fields = fieldsOf(data);
  if (Object.keys(fields).length > 0) return doneChange(tool.name, fields, change.path);
  // A sub-agent's results come without data: then what was proposed is what was done.
  const content = textOf(tool.input['content']);
  const isNew = tool.name === 'Write' && resultText(result).startsWith('File created');
  return change.texts === undefined && isNew && content !== undefined ? { ...change, texts: { before: null, after: content } } : change;
}

/** Without what claude adds for the model: the sub-agent's id and what it took. */
function answerText({ content }: ToolResult): string {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.filter((text, index) => index === 0 || !text.startsWith('agentId: ')).join('\n');
}

export function resultText(result: ToolResult): string {
  return result.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
}

/** Whether the user stopped claude during the call, or before it. */
export function isCutOff(result: ToolResult): boolean {
  return result.isError && resultText(result).startsWith(CUT_OFF);
}

/**
 * Of a stored call that was cut off nothing tells whether it had begun: a refusal and an interrupt leave the same words,
 * and nothing else, in a transcript (2.1.197, measured). `declined` says that nothing was done, and that is known of the
 * file tools alone: claude says that they wrote nothing. A command may have run for long, so it is `failed`.
 */
function statusOf({ tool, result, wasWaiting }: CallEnd): 'completed' | 'failed' | 'declined' {
  if (!result.isError) return 'completed';
  if (resultText(result).includes(DECLINED_BY_USER)) return 'declined';
  const didNothing = wasWaiting ?? toolKind(tool) === 'fileChange';
  return isCutOff(result) && didNothing ? 'declined' : 'failed';
}

/** claude tells an exit code only in the text of a failure. */
function commandChanges(end: CallEnd): ItemChanges {
  const status = statusOf(end);
  const said = resultText(end.result);
  if (status === 'declined' || isCutOff(end.result)) return { status };
  if (status === 'failed') {
    const failure = /^Exit code (\d+)\n?/.exec(said);
    const aggregatedOutput = failure === null ? said : said.slice(failure[0].length);
    return { status, aggregatedOutput, exitCode: failure?.[1] === undefined ? null : Number(failure[1]) };
  }
  const data = fieldsOf(end.data);
  const output = [textOf(data['stdout']), textOf(data['stderr'])].filter((text) => text !== undefined && text !== '').join('\n');
  const isText = textOf(data['stdout']) !== undefined && data['isImage'] !== true && data['backgroundTaskId'] === undefined;
  // In the background it still runs; and some programs end well with a code that is not 0, which claude puts in words.
  const hasCode = data['backgroundTaskId'] === undefined && data['returnCodeInterpretation'] === undefined;
  return { status, aggregatedOutput: isText ? output : said === NO_OUTPUT ? '' : said, exitCode: hasCode ? 0 : null };
}

function mcpChanges({ result, data }: CallEnd): ItemChanges {
  if (result.isError) return { status: 'failed', error: { message: resultText(result) } };
  const content = result.content.map((block) => (block.type === 'text' ? block : mcpImage(block.url)));
  return { status: 'completed', result: { content, structuredContent: fieldsOf(data)['structuredContent'] ?? null, _meta: null } };
}

function mcpImage(url: string): Record<string, unknown> {
  const data = /^data:([^;]+);base64,(.*)$/s.exec(url);
  return data === null ? { type: 'resource_link', uri: url, name: url } : { type: 'image', mimeType: data[1], data: data[2] };
}

function subAgentChanges({ tool, result, data, agentThreadId: startedAs }: CallEnd): ItemChanges {
  const fields = fieldsOf(data);
  const agentId = textOf(fields['agentId']);
  const id = agentId === undefined ? startedAs : threadIdOfAgent(agentId);
  const answer = listOf(fields['content']).flatMap((block) => textOf(fieldsOf(block)['text']) ?? []);
  const isRunning = fields['status'] === 'async_launched';
  const state: CollabAgentState = result.isError
    ? { status: 'errored', message: resultText(result) }
    : {
        status: isRunning ? 'running' : 'completed',
        message: isRunning ? null : answer.length > 0 ? answer.join('\n') : answerText(result),
      };
  return {
    status: result.isError ? 'failed' : 'completed',
    model: textOf(fields['resolvedModel']) ?? textOf(tool.input['model']) ?? null,
    ...(id === undefined ? {} : { receiverThreadIds: [id], agentsStates: { [id]: state } }),
  };
}

function contentItem(block: ToolResult['content'][number]): { type: 'inputText'; text: string } | { type: 'inputImage'; imageUrl: string } {
  return block.type === 'text' ? { type: 'inputText', text: block.text } : { type: 'inputImage', imageUrl: block.url };
}
