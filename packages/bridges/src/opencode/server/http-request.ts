// Owns one HTTP request to a server on this computer or nearby: its body, its time-out, the cap on its answer. It
// refuses to know what is asked.

import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string | undefined;
  /** Until the answer begins. Absent: for ever. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Sends a request.
 * @returns the answer as it begins; its body is for the caller to read
 * @throws Error when nobody answers in time, or the connection breaks
 */
export function sendRequest({ method, url, headers, body, timeoutMs, signal }: HttpRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const length = bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(bytes.byteLength) };
  const request = send(url, { method, headers: { ...headers, ...length }, ...(signal === undefined ? {} : { signal }) });
  request.once('response', resolve);
  request.on('error', reject); // also after the answer has begun: its reader is told by the stream
  if (timeoutMs !== undefined) {
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    promise.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
  }
  request.end(bytes);
  return promise;
}

/** @throws Error when the body is longer than `maxBytes`, or breaks off */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      response.destroy();
      throw new Error(`the answer has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
