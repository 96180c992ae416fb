// Owns what a user's message becomes for opencode: parts of a prompt, or one of its slash commands.

import { stat } from 'node:fs/promises';
import { readInputImage } from '@heddle/bridge-kit';
import type { UserInput } from '@heddle/wire';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Most models take no larger image. Bytes of the image itself. */
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;

type PromptPart =
  | { type: 'text'; text: string; metadata?: Record<string, unknown> }
  | { type: 'file'; mime: string; filename: string; url: string };

export type PromptInput =
  | { kind: 'prompt'; parts: PromptPart[] }
  | { kind: 'command'; command: string; arguments: string; parts: Extract<PromptPart, { type: 'file' }>[] };

/**
 * @param cwd what the paths of local files are relative to
 * @param commands names of opencode's commands
 * @throws TurnFailure `badRequest` when an image is missing, too large or of a kind that models do not know.
 */
export async function promptOf(inputs: readonly UserInput[], cwd: string, commands: readonly string[]): Promise<PromptInput> {
  const texts: string[] = [];
  const files: Extract<PromptPart, { type: 'file' }>[] = [];
  const skills: string[] = [];
  for (const input of inputs) {
    switch (input.type) {
      case 'text':
        texts.push(input.text);
        break;
      case 'image':
      case 'localImage': {
        const { mediaType, base64 } = await readInputImage(input, { cwd, maxBytes: MAX_IMAGE_BYTES, agent: 'opencode' });
        const filename = input.type === 'image' ? 'image' : basename(input.path);
        files.push({ type: 'file', mime: mediaType, filename, url: `data:${mediaType};base64,${base64}` });
        break;
      }
      case 'mention': {
        const path = resolve(cwd, input.path);
        const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
        const mime = isFolder ? 'application/x-directory' : 'text/plain';
        files.push({ type: 'file', mime, filename: basename(path), url: pathToFileURL(path).href });
        break;
      }
      case 'skill':
        skills.push(input.name);
        break;
    }
  }
  const [skill, ...others] = skills;
  const words = [...texts, ...others.map((name) => `Use the skill ${name} too.`)].join('\n');
  const command = skill === undefined ? commandIn(words, commands) : { command: skill, arguments: words };
  if (command !== undefined) return { kind: 'command', ...command, parts: files };
  return { kind: 'prompt', parts: [...(words === '' ? [] : [{ type: 'text' as const, text: words }]), ...files] };
}

function commandIn(text: string, commands: readonly string[]): { command: string; arguments: string } | undefined {
  const [, name = '', rest = ''] = /^\/(\S+)\s*([^]*)$/.exec(text) ?? [];
  return commands.includes(name) ? { command: name, arguments: rest } : undefined;
}
