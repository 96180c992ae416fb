// Owns what of a transcript's user entries a person has said. claude writes there also what tools answered, what it
// told the model itself, and what local commands printed.

import { type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';
import type { UserInput } from '@heddle/wire';
import { blocksOf } from '../native-content.ts';
import type { Entry } from './transcript.ts';

export interface Prompt {
  /** The id of the message as it was sent. */
  messageId: string;
  content: UserInput[];
}

/**
 * What begins a turn: a person, claude itself when a task in the background came back, or, in a sub-agent's thread, the
 * call that has sent it on.
 */
export type TurnBegin = { kind: 'prompt'; prompt: Prompt } | { kind: 'own' } | { kind: 'call'; toolUseId: string };

const notSaid =
  /^(?:\[Request interrupted by user|<local-command-stdout>|<local-command-stderr>|<local-command-caveat>|<bash-stdout>|<bash-stderr>)/;

/** `undefined`: the entry begins no turn. */
export function turnBegin(entry: Entry): TurnBegin | undefined {
  const { fields, type } = entry;
  if (type !== 'user' || fields['isMeta'] === true || fields['isCompactSummary'] === true || fields['isVisibleInTranscriptOnly'] === true)
    return undefined;
  const content = fieldsOf(fields['message'])['content'];
  const blocks = blocksOf(content);
  if (blocks.some((block) => block.type === 'toolResult')) return undefined;
  const first = blocks.find((block) => block.type === 'text')?.text ?? '';
  if (fieldsOf(fields['origin'])['kind'] === 'task-notification' || first.startsWith('<task-notification>')) return { kind: 'own' };
  if (notSaid.test(first)) return undefined;
  return { kind: 'prompt', prompt: { messageId: entry.firstUuid, content: userInput(content) } };
}

export function isInterruptMark(entry: Entry): boolean {
  if (entry.type !== 'user') return false;
  return blocksOf(fieldsOf(entry.fields['message'])['content']).some(
    (block) => block.type === 'text' && block.text.startsWith('[Request interrupted by user'),
  );
}

/** A message that a person sent while a turn ran: an attachment when claude took it in at once, else like any other. */
export function steeredPrompt(entry: Entry): Prompt | undefined {
  if (entry.hasWaited) {
    const begin = turnBegin(entry);
    return begin?.kind === 'prompt' ? begin.prompt : undefined;
  }
  const attachment = fieldsOf(entry.fields['attachment']);
  if (entry.type !== 'attachment' || attachment['type'] !== 'queued_command' || attachment['commandMode'] !== 'prompt') return undefined;
  return { messageId: textOf(attachment['source_uuid']) ?? entry.firstUuid, content: userInput(attachment['prompt']) };
}

/** The text in what a person said. */
export function promptText(content: readonly UserInput[]): string {
  return content.flatMap((input) => (input.type === 'text' ? [input.text] : [])).join('\n');
}

function userInput(content: unknown): UserInput[] {
  return blocksOf(content).flatMap((block): UserInput[] => {
    if (block.type === 'text') return [{ type: 'text', text: commandLine(block.text) ?? block.text, text_elements: [] }];
    return block.type === 'image' ? [{ type: 'image', url: block.url }] : [];
  });
}

/** A slash command as it was typed; claude writes it in tags. */
function commandLine(text: string): string | undefined {
  const name = tagged(text, 'command-name');
  if (name !== undefined && text.startsWith('<command-')) return `${name} ${tagged(text, 'command-args') ?? ''}`.trim();
  const shell = tagged(text, 'bash-input');
  return shell === undefined || !text.startsWith('<bash-input>') ? undefined : `!${shell}`;
}

function tagged(text: string, tag: string): string | undefined {
  const from = text.indexOf(`<${tag}>`);
  const to = text.indexOf(`</${tag}>`, from);
  return from === -1 || to === -1 ? undefined : text.slice(from + tag.length + 2, to).trim();
}

/** What a local command has printed. */
export function localOutput(fields: Fields): string | undefined {
  return tagged(textOf(fields['content']) ?? '', 'local-command-stdout');
}
