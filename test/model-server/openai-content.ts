// Owns what the two APIs of OpenAI have in common: the text and the images of a message, and their error.

import type { ReceivedImage } from './script.ts';

/** Content is a text, or a list of parts of which some have one. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as Record<string, unknown>[]).map((part) => (typeof part['text'] === 'string' ? part['text'] : '')).join('\n');
}

/** Images that lie elsewhere (by URL, by file id) are not received. */
export function imagesOf(content: unknown): ReceivedImage[] {
  if (!Array.isArray(content)) return [];
  return (content as { image_url?: string | { url?: string } }[]).flatMap(({ image_url: at }) => {
    const url = typeof at === 'string' ? at : at?.url;
    const [, mediaType, base64] = /^data:([^;,]+);base64,(.*)$/s.exec(url ?? '') ?? [];
    return mediaType === undefined || base64 === undefined ? [] : [{ mediaType, base64 }];
  });
}

const errorTypes: Record<number, string> = { 400: 'invalid_request_error', 401: 'authentication_error', 429: 'rate_limit_error' };
const errorCodes: Record<number, string> = { 401: 'invalid_api_key' };

export const errorBody = ({ status, message }: { status: number; message: string }) => ({
  error: { message, type: errorTypes[status] ?? 'server_error', code: errorCodes[status] ?? null, param: null },
});
