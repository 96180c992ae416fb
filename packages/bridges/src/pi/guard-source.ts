// Owns heddle's extension for pi, as the text of a module that pi loads, and the words in which the two talk. pi itself
// never asks: the extension stops each call of a tool until heddle has allowed it, and writes into the session which
// turn of heddle's a message belongs to. It decides nothing: no answer, or one that it can't read, is no.

import { fieldsOf, textOf } from '@heddle/bridge-kit';

/** Command of the extension, key of what it tells, and type of the entries that it writes into a session. */
export const GUARD = 'heddle';
/** What the model is told of a call that may not run. Stored turns are read by it. */
export const DECLINED_BY_USER = 'The user declined this tool call. It was not executed.';
export const ALLOW = 'allow';
export const BLOCK = 'block';

/**
 * What heddle tells the extension, as the argument of its command: under which ids the next message with that text is
 * kept. `isFirst`: no message from before is still awaited. Without `message` the entry is written at once: a turn begins
 * in which nobody has said anything.
 */
export interface GuardNote {
  turn: string;
  message?: string;
  text?: string;
  isFirst?: boolean;
}

/** What the extension tells. */
export type GuardTold =
  /** It guards a session from now on. pi may go to another one while it runs, at the wish of another extension. */
  | { type: 'guards'; sessionId: string; sessionFile: string | undefined }
  /** pi has begun with a message. */
  | { type: 'took'; messageId: string };

/** A call of a tool that waits. */
export interface GuardedCall {
  toolCallId: string;
  toolName: string;
  input: Record<string, unknown>;
  /** pi's own tool of that name, not one of an extension. */
  isBuiltIn: boolean;
}

/** @param text of a status with the key `GUARD` */
export function readGuardTold(text: string | undefined): GuardTold | undefined {
  const told = parsed(text);
  const sessionId = textOf(told['session']);
  if (sessionId !== undefined) return { type: 'guards', sessionId, sessionFile: textOf(told['file']) };
  const messageId = textOf(told['took']);
  return messageId === undefined ? undefined : { type: 'took', messageId };
}

/** @param title of a dialog; `undefined`: it is not the extension's */
export function readGuardedCall(title: string): GuardedCall | undefined {
  if (!title.startsWith(`${GUARD} `)) return undefined;
  const call = parsed(title.slice(GUARD.length + 1));
  const toolCallId = textOf(call['id']);
  const toolName = textOf(call['tool']);
  if (toolCallId === undefined || toolName === undefined) return undefined;
  return { toolCallId, toolName, input: { ...fieldsOf(call['input']) }, isBuiltIn: call['builtIn'] === true };
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(text ?? ''));
  } catch {
    return {};
  }
}

/**
 * JavaScript, for pi's loader of extensions. Of pi's interface only what 0.73 and 0.87 both have.
 * `message_end` comes before pi stores the message, so the entry stands right before it.
 */
export const guardSource = `// Written by heddle at each start. It stops pi's tools until heddle has allowed each call.
const textOf = ({ content }) =>
  typeof content === 'string' ? content : content.filter((part) => part.type === 'text').map((part) => part.text).join('');

export default function (pi) {
  let ui;
  let awaited = [];
  const tell = (told) => ui?.setStatus('${GUARD}', JSON.stringify(told));
  const isBuiltIn = (name) => pi.getAllTools().find((tool) => tool.name === name)?.sourceInfo?.source === 'builtin';

  pi.on('session_start', (_event, ctx) => {
    ui = ctx.ui;
    tell({ session: ctx.sessionManager.getSessionId(), file: ctx.sessionManager.getSessionFile() });
  });

  pi.registerCommand('${GUARD}', {
    description: 'Used by heddle',
    handler: async (args) => {
      const { isFirst, ...note } = JSON.parse(args);
      if (isFirst) awaited = [];
      if (note.message === undefined) pi.appendEntry('${GUARD}', note);
      else awaited.push(note);
    },
  });

  pi.on('message_end', ({ message }) => {
    if (message.role !== 'user') return;
    const said = textOf(message);
    // Templates and skills are something else by now; pi may add a line about an image.
    const at = awaited.findIndex(({ text }) => said === text || said.startsWith(text + '\\n\\n') || text.startsWith('/'));
    if (at < 0) return;
    const [{ text, ...note }] = awaited.splice(0, at + 1).slice(-1);
    pi.appendEntry('${GUARD}', said === text ? note : { ...note, text });
    tell({ took: note.message });
  });

  pi.on('tool_call', async (event, ctx) => {
    const call = { id: event.toolCallId, tool: event.toolName, input: event.input, builtIn: isBuiltIn(event.toolName) };
    const answer = await ctx.ui.select('${GUARD} ' + JSON.stringify(call), ['${ALLOW}', '${BLOCK}'], { signal: ctx.signal });
    return answer === '${ALLOW}' ? undefined : { block: true, reason: '${DECLINED_BY_USER}' };
  });
}
`;
