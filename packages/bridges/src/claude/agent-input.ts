// Owns what a user's message becomes for claude: text, images as base64, files and skills as claude writes them.

import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TurnFailure } from '@heddle/bridge-kit';
import type { UserInput } from '@heddle/wire';

/** The API takes no larger image. Bytes of the image itself. */
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;

type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
export type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'image'; source: { type: 'base64'; media_type: ImageType; data: string } };

/**
 * The content of a user message: plain text when there is no image, since only then claude sees a slash command.
 * @param cwd what the paths of local images are relative to
 * @throws TurnFailure `badRequest` when an image is missing, too large or of a kind that claude does not know.
 */
export async function contentOf(inputs: readonly UserInput[], cwd: string): Promise<string | ContentBlock[]> {
  const texts: string[] = [];
  const images: ContentBlock[] = [];
  const skills: string[] = [];
  for (const input of inputs) {
    switch (input.type) {
      case 'text':
        texts.push(input.text);
        break;
      case 'image':
        images.push(imageBlock(bytesOfDataUrl(input.url), 'the image'));
        break;
      case 'localImage':
        images.push(imageBlock(await readImage(resolve(cwd, input.path)), input.path));
        break;
      case 'mention':
        texts.push(mentionOf(input.path));
        break;
      case 'skill':
        skills.push(input.name);
        break;
    }
  }
  const [skill, ...others] = skills;
  const words = [...texts, ...others.map((name) => `Use the skill ${name} too.`)].join('\n');
  const text = skill === undefined ? words : `/${skill} ${words}`.trimEnd();
  if (images.length === 0) return text;
  return text === '' ? images : [{ type: 'text', text }, ...images];
}

/** claude reads a file that is mentioned like this by itself. */
function mentionOf(path: string): string {
  return /\s/.test(path) ? `@"${path}"` : `@${path}`;
}

function bytesOfDataUrl(url: string): Buffer {
  const data = /^data:[^,]*;base64,(.*)$/s.exec(url)?.[1];
  if (data === undefined) throw refused('an image must come as a data: URL in base64, not as an address');
  if (data.length > Math.ceil(MAX_IMAGE_BYTES / 3) * 4) throw tooLarge('the image');
  return Buffer.from(data, 'base64');
}

async function readImage(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MAX_IMAGE_BYTES) throw tooLarge(path);
    return await readFile(path);
  } catch (error) {
    if (error instanceof TurnFailure) throw error;
    throw refused(`the image ${path} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function imageBlock(bytes: Buffer, name: string): ContentBlock {
  if (bytes.byteLength > MAX_IMAGE_BYTES) throw tooLarge(name);
  const mediaType = imageTypeOf(bytes);
  if (mediaType === undefined) throw refused(`${name} is no PNG, JPEG, GIF or WebP image`);
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: bytes.toString('base64') } };
}

/** By its first bytes: names and declared types are often wrong, and the API refuses what does not match. */
function imageTypeOf(bytes: Buffer): ImageType | undefined {
  const head = bytes.subarray(0, 12).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(head)) return 'image/gif';
  return /^RIFF[^]{4}WEBP/.test(head) ? 'image/webp' : undefined;
}

function tooLarge(name: string): TurnFailure {
  return refused(`${name} is larger than the ${MAX_IMAGE_BYTES / 1024 / 1024} MiB that claude takes`);
}

function refused(message: string): TurnFailure {
  return new TurnFailure(message, 'badRequest');
}
