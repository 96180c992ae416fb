// Owns what a user's message becomes for opencode: parts of a prompt, or one of its slash commands.

import { stat } from 'node:fs/promises';
import { messageWords, readInputImage } from '@heddle/bridge-kit';
import type { UserInput } from '@heddle/wire';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Most models take no larger image. Bytes of the image itself. */
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;

interface FilePart {
  type: 'file';
  mime: string;
  filename: string;
  url: string;
}
type PromptPart = { type: 'text'; text: string; metadata?: Record<string, unknown> } | FilePart;

export type PromptInput =
  | { kind: 'prompt'; parts: PromptPart[] }
  | { kind: 'command'; command: string; arguments: string; parts: FilePart[] };

/**
 * @param cwd what the paths of local files are relative to
 * @param commands names of opencode's commands
 * @throws TurnFailure `badRequest` when an image is missing, too large or of a kind that models do not know.
 */
export async function promptOf(inputs: readonly UserInput[], cwd: string, commands: readonly string[]): Promise<PromptInput> {
  const { text, skill, images, mentions } = messageWords(inputs);
  const files: FilePart[] = [];
  for (const image of images) files.push(await imagePart(image, cwd));
  for (const mention of mentions) files.push(await mentionedPart(resolve(cwd, mention)));
  const command = skill === undefined ? commandIn(text, commands) : { command: skill, arguments: text };
  if (command !== undefined) return { kind: 'command', ...command, parts: files };
  return { kind: 'prompt', parts: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...files] };
}

async function imagePart(image: Parameters<typeof readInputImage>[0], cwd: string): Promise<FilePart> {
  const { mediaType, base64 } = await readInputImage(image, { cwd, maxBytes: MAX_IMAGE_BYTES, agent: 'opencode' });
  const filename = image.type === 'image' ? 'image' : basename(image.path);
  return { type: 'file', mime: mediaType, filename, url: `data:${mediaType};base64,${base64}` };
}

/** A file, or a folder, that opencode reads by itself. */
async function mentionedPart(path: string): Promise<FilePart> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const mime = isFolder ? 'application/x-directory' : 'text/plain';
  return { type: 'file', mime, filename: basename(path), url: pathToFileURL(path).href };
}

function commandIn(text: string, commands: readonly string[]): { command: string; arguments: string } | undefined {
  const [, name = '', rest = ''] = /^\/(\S+)\s*([^]*)$/.exec(text) ?? [];
  return commands.includes(name) ? { command: name, arguments: rest } : undefined;
}
