// Owns what may be written behind `--listen`: a WebSocket address of this computer alone.

import { BlockList, isIP } from 'node:net';
import { HeddleError } from '@heddle/wire';

export interface ListenAddress {
  host: string;
  /** 0: any free one. */
  port: number;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** @throws HeddleError `usage` */
export function parseListenAddress(text: string): ListenAddress {
  const hint = 'Such as: --listen ws://127.0.0.1:4500, or port 0 for any free one.';
  // `URL` drops a port that is the default of its scheme, so the port is read from the text.
  const [, host = '', portText] = /^ws:\/\/(\[[^\]/]*\]|[^:/?#@]+)(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  if (host === '') throw new HeddleError('usage', `"${text}" is not an address of the form ws://HOST:PORT`, { hint });
  if (portText === undefined || Number(portText) > 65_535)
    throw new HeddleError('usage', `"${text}" has no port from 0 to 65535`, { hint });
  const ip = host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(ip);
  if (family === 0 || !loopback.check(ip, family === 6 ? 'ipv6' : 'ipv4')) {
    throw new HeddleError('usage', `"${host}" is not an address of this computer alone; whoever reaches it could drive your agents`, {
      hint: 'Use 127.0.0.1 or [::1]. To drive them from elsewhere, pair that device with `heddle pair`.',
    });
  }
  return { host: ip, port: Number(portText) };
}
