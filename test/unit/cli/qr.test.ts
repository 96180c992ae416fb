import { stripVTControlCharacters } from 'node:util';
import { type PairPayload } from '@heddle/wire';
import { expect, test } from 'vitest';
import { renderQr } from '../../../packages/cli/src/qr.ts';
import { decodeQr } from './fixtures/decode-qr.ts';

const payload: PairPayload = {
  v: 1,
  peer_id: '12D3KooWGRUqbmzs5vMgnpbpp2rPEuYbFmTMvcA1YWqPcGFnGTxe',
  token: '0123456789abcdef'.repeat(4),
  host_name: 'Zoë’s Webstuhl 織機',
  addrs: ['/ip4/192.168.1.5/tcp/41234'],
};
const sixAddress = (n: number) => `/ip6/2001:db8:1234:5678:9abc:def0:1234:${5670 + n}/tcp/41234`;

test('a phone reads the payload back, umlauts and all', () => {
  const { text, columns, droppedAddresses } = renderQr(payload, { hasColours: false });
  const decoded = decodeQr(text);
  expect(JSON.parse(decoded.text)).toEqual(payload);
  expect(decoded.quietZone).toBeGreaterThanOrEqual(2);
  expect({ columns, droppedAddresses }).toEqual({ columns: text.split('\n')[0]?.length, droppedAddresses: 0 });
});

test.each([1, 2, 3, 4, 5, 6, 8])('with %i long addresses it fits 80 columns and keeps the first ones', (count) => {
  const addrs = Array.from({ length: count }, (_, n) => sixAddress(n));
  const { text, columns, droppedAddresses } = renderQr({ ...payload, addrs }, { hasColours: false });
  expect(columns).toBeLessThanOrEqual(80);
  for (const line of text.split('\n')) expect(line.length).toBe(columns);
  expect(JSON.parse(decodeQr(text).text)).toEqual({ ...payload, addrs: addrs.slice(0, count - droppedAddresses) });
  expect(droppedAddresses).toBe(Math.max(0, count - 4));
});

test('on a terminal the colours are fixed: white on black, whatever the theme', () => {
  const plain = renderQr(payload, { hasColours: false }).text;
  const coloured = renderQr(payload, { hasColours: true }).text;
  expect(coloured.startsWith('\u001B[38;5;231;48;5;16m█')).toBe(true);
  expect(stripVTControlCharacters(coloured)).toBe(plain);
});
