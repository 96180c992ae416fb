// What a user's message becomes for claude.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { contentOf } from '../../../packages/bridges/src/claude/agent-input.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-claude-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const png = Buffer.from('89504e470d0a1a0a0000000d', 'hex');
const pngBlock = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png.toString('base64') } };

describe('text', () => {
  it('stays text, so that claude sees its own commands', async () => {
    expect(await contentOf([{ type: 'text', text: '/compact' }], folder)).toBe('/compact');
  });

  it('names a skill as a command, and files as claude reads them', async () => {
    const inputs = [
      { type: 'text', text: 'the diff' },
      { type: 'skill', name: 'review', path: '/x' },
      { type: 'mention', name: 'a', path: '/srv/a b.ts' },
    ] as const;
    expect(await contentOf([...inputs], folder)).toBe('/review the diff\n@"/srv/a b.ts"');
  });
});

describe('an image', () => {
  it('is sent as what its bytes are, whatever it is called', async () => {
    writeFileSync(path.join(folder, 'picture.jpg'), png);
    const inputs = [
      { type: 'text', text: 'Look.' },
      { type: 'image', url: `data:image/jpeg;base64,${png.toString('base64')}` },
      { type: 'localImage', path: 'picture.jpg' },
    ] as const;
    expect(await contentOf([...inputs], folder)).toEqual([{ type: 'text', text: 'Look.' }, pngBlock, pngBlock]);
  });

  it.each([
    [{ type: 'image', url: 'https://example.org/a.png' }, 'an image must come as a data: URL in base64, not as an address'],
    [
      { type: 'image', url: `data:image/png;base64,${Buffer.from('hello').toString('base64')}` },
      'the image is no PNG, JPEG, GIF or WebP image',
    ],
    [
      { type: 'image', url: `data:image/png;base64,${'A'.repeat(7 * 1024 * 1024)}` },
      'the image is larger than the 5 MiB that claude takes',
    ],
    [{ type: 'localImage', path: 'missing.png' }, /^the image .*missing\.png can't be read: ENOENT/],
  ] as const)('that can not be sent says why', async (input, why) => {
    await expect(contentOf([input], folder)).rejects.toThrow(why);
  });
});
