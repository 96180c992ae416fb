// Owns the bound on what one item may carry, so that a notice of it is a line of less than a mebibyte. What is cut is
// said where it was cut. What the user wrote is never cut.

import type { ThreadItem } from '@heddle/wire';

/** For all texts of one item, in bytes as they are on the wire; the rest of a mebibyte is for what is around them. */
export const MAX_ITEM_BYTES = 960 * 1024;

/** The bytes that a text takes in a JSON message. */
export function encodedBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** The longest start of a text that takes at most so many bytes on the wire and cuts no character. */
export function cutToEncodedBytes(text: string, maxBytes: number): string {
  if (maxBytes <= 0) return '';
  if (encodedBytes(text) <= maxBytes) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += encodedBytes(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}

export function cutNote(leftOut: number): string {
  return `\n[${leftOut} more characters were left out]\n`;
}

/** An item, or what is told of one, with its texts within the bound. The same object when they are. */
export function withinBounds<T extends object>(value: T, type: ThreadItem['type']): T {
  if (type === 'userMessage' || Buffer.byteLength(JSON.stringify(value)) <= MAX_ITEM_BYTES) return value;
  return shortened(value, { bytes: MAX_ITEM_BYTES }) as T;
}

/** Texts take what is left of the room in the order in which they stand. */
function shortened(value: unknown, room: { bytes: number }): unknown {
  if (typeof value === 'string') return shortenedText(value, room);
  if (Array.isArray(value)) return value.map((entry) => shortened(entry, room));
  if (typeof value !== 'object' || value === null) return value;
  const picture = pictureIn(value);
  if (picture !== undefined && encodedBytes(picture.data) > room.bytes) {
    return { type: picture.asText, text: `[an image of ${picture.data.length} characters was left out]` };
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner, room)]));
}

function shortenedText(text: string, room: { bytes: number }): string {
  const kept = cutToEncodedBytes(text, room.bytes);
  room.bytes -= encodedBytes(kept);
  return kept.length === text.length ? text : kept + cutNote(text.length - kept.length);
}

/** Half an image is none: a result's picture is kept whole or replaced by a text block of its own kind. */
function pictureIn(value: object): { data: string; asText: string } | undefined {
  const { type, imageUrl, data } = value as Record<string, unknown>;
  if (type === 'inputImage' && typeof imageUrl === 'string') return { data: imageUrl, asText: 'inputText' };
  if (typeof data === 'string' && (type === 'image' || type === 'audio')) return { data, asText: 'text' };
  return undefined;
}
