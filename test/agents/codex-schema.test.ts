// The committed schema is what the installed codex generates. If this fails: node test/conformance/extract-schema.ts

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { schemaFile } from '../conformance/schema.ts';
import { generateSchema } from './support/codex-schema.ts';

it('the committed schema is what the installed codex generates', async () => {
  expect(JSON.parse(readFileSync(schemaFile, 'utf8'))).toEqual(await generateSchema());
});
