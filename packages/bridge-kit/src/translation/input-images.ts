// Owns the images of a user's message: read from where they are, checked, and told by their first bytes. It refuses
// addresses: nothing is fetched for a client.

import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { UserInput } from '@heddle/wire';
import { TurnFailure } from '../threads/turn-failure.ts';

export type ImageInput = Extract<UserInput, { type: 'image' | 'localImage' }>;
export type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

export interface InputImage {
  mediaType: ImageType;
  base64: string;
}

export interface ImageLimits {
  /** What the paths of local images are relative to; absolute. */
  cwd: string;
  /** Bytes of the image itself. */
  maxBytes: number;
  /** Who takes no larger one: `claude`. */
  agent: string;
}

/** @throws TurnFailure `badRequest` when the image is missing, too large or of a kind that models do not know. */
export async function readInputImage(input: ImageInput, limits: ImageLimits): Promise<InputImage> {
  const name = input.type === 'image' ? 'the image' : input.path;
  const bytes = input.type === 'image' ? bytesOfDataUrl(input.url, limits) : await bytesOfFile(input.path, limits);
  if (bytes.byteLength > limits.maxBytes) throw tooLarge(name, limits);
  const mediaType = imageTypeOf(bytes);
  if (mediaType === undefined) throw refused(`${name} is no PNG, JPEG, GIF or WebP image`);
  return { mediaType, base64: bytes.toString('base64') };
}

function bytesOfDataUrl(url: string, limits: ImageLimits): Buffer {
  const data = /^data:[^,]*;base64,(.*)$/s.exec(url)?.[1];
  if (data === undefined) throw refused('an image must come as a data: URL in base64, not as an address');
  if (data.length > Math.ceil(limits.maxBytes / 3) * 4) throw tooLarge('the image', limits);
  return Buffer.from(data, 'base64');
}

async function bytesOfFile(path: string, limits: ImageLimits): Promise<Buffer> {
  const file = resolve(limits.cwd, path);
  try {
    const { size } = await stat(file);
    if (size > limits.maxBytes) throw tooLarge(file, limits);
    return await readFile(file);
  } catch (error) {
    if (error instanceof TurnFailure) throw error;
    throw refused(`the image ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** By its first bytes: names and declared types are often wrong, and model APIs refuse what does not match. */
function imageTypeOf(bytes: Buffer): ImageType | undefined {
  const head = bytes.subarray(0, 12).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(head)) return 'image/gif';
  return /^RIFF[^]{4}WEBP/.test(head) ? 'image/webp' : undefined;
}

function tooLarge(name: string, { agent, maxBytes }: ImageLimits): TurnFailure {
  return refused(`${name} is larger than the ${maxBytes / 1024 / 1024} MiB that ${agent} takes`);
}

function refused(message: string): TurnFailure {
  return new TurnFailure(message, 'badRequest');
}
